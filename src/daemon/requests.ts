// What clients can ask for.
import { isDeepStrictEqual } from 'node:util'
import { DevloopError } from '../errors/devloop-error.js'
import { didYouMean, listed } from '../errors/did-you-mean.js'
import type { RemovedThing } from '../control/prune.js'
import { isBusy, pruneRound } from '../control/prune-round.js'
import type { ControlContext } from '../control/context.js'
import type { DumpResult, Requests } from '../protocol/messages.js'
import type { Progress, RequestHandlers } from '../server/request-handlers.js'
import type { ViewSource } from '../server/view-source.js'
import { attachedName, type Plan } from '../model/plan.js'
import { builtImages } from '../store/resource-images.js'
import { noChoice, select, selectable, withNeeds } from '../store/selectors.js'
import { execPlace } from './exec-place.js'
import { outcomesOf } from './triggered.js'
import { verifyTargets } from './verify-targets.js'
import { explainPath } from './why.js'

/** How long a round may take that somebody asked for. Milliseconds. */
const pruneLimit = 600_000

/**
 * @param views the state as clients see it
 * @param dump what the daemon gives for a bug report
 * @param shutdown begins to end the daemon; with `down`, resolves when what it deployed is deleted, with whether all is that was meant
 */
export function createRequests(
  context: ControlContext,
  views: ViewSource,
  dump: () => DumpResult,
  shutdown: (params: Omit<Requests['shutdown']['params'], 'wait'>, progress: Progress) => Promise<boolean>,
): RequestHandlers {
  const { store } = context
  const known = (resource: string): void => {
    if (!store.state().resources[resource]) throw unknownResource(resource, Object.keys(store.state().resources))
  }
  /** The plan, and the names that some selectors mean. */
  const chosen = (selectors: readonly string[]): { plan: Plan; names: readonly string[] } => {
    const { plan } = store.state()
    if (!plan) throw unknownResource(selectors[0] ?? '', [])
    const { names, unknown } = select(plan, selectors)
    if (unknown[0] !== undefined) throw unknownResource(unknown[0], selectable(plan))
    return { plan, names }
  }
  /** Have taken over that folders are empty. @returns whose images have such */
  const letGo = (names: readonly string[]): readonly string[] => {
    const state = store.state()
    const held = names.filter((name) => builtImages(state, name).some((image) => state.images[image]?.sources?.held))
    if (held.length === 0)
      throw new DevloopError('request/refused', `nothing is held of ${listed(names)}`, {
        why: 'Only a folder that is gone or was emptied needs to be confirmed; `devloop status` tells which are.',
      })
    for (const name of held) store.dispatch({ type: 'request/confirm-empty', resource: name })
    return held
  }
  const accepted = { accepted: true } as const
  return {
    async trigger({ resource, confirmEmpty = false, wait = false }, origin) {
      const { names } = chosen([resource])
      const enabled = names.filter((name) => !store.state().resources[name]?.disabled)
      if (enabled.length === 0)
        throw new DevloopError('request/refused', `${listed(names)} ${names.length === 1 ? 'is' : 'are'} disabled`, {
          help: `Enable it first: devloop enable ${names.join(' ')}`,
        })
      const resources = confirmEmpty ? letGo(enabled) : enabled
      if (!confirmEmpty) for (const name of enabled) store.dispatch({ type: 'request/trigger', resource: name })
      if (!wait) return { ...accepted, resources }
      return { ...accepted, resources, outcomes: await outcomesOf(context, views, resources, origin) }
    },
    enable({ resources }) {
      const { plan, names } = chosen(resources)
      const { resources: before } = store.state()
      const needs = withNeeds(plan, names).filter((name) => {
        const resource = before[name]
        return !names.includes(name) && resource !== undefined && (resource.disabled !== null || !resource.started)
      })
      store.dispatch({ type: 'request/enable', names: [...needs, ...names] })
      return { ...accepted, resources: names, needs }
    },
    disable({ resources }) {
      const { plan, names } = chosen(resources)
      store.dispatch({ type: 'request/disable', names })
      const neededBy = Object.values(plan.resources)
        .filter((spec) => !store.state().resources[spec.name]?.disabled && spec.needs.some((need) => names.includes(need)))
        .map((spec) => spec.name)
      return { ...accepted, resources: names, neededBy }
    },
    args({ args, choices }) {
      const { plan, session } = store.state()
      const wrong = plan && noChoice(plan, choices)
      if (wrong) throw new DevloopError('request/unknown-resource', wrong.message, { why: wrong.why })
      const next = { args: args ?? session.args, choices: { ...session.choices, ...choices } }
      const same = isDeepStrictEqual(next, { args: session.args, choices: session.choices ?? {} })
      if (!same) store.dispatch({ type: 'request/args', ...next })
      return { args: next.args, choices: { ...plan?.choices, ...next.choices } }
    },
    reload() {
      store.dispatch({ type: 'devloopfile/changed' })
      return accepted
    },
    restart({ resource }) {
      known(resource)
      const spec = store.state().plan?.resources[resource]
      if (spec?.kind === 'attach')
        throw new DevloopError('request/refused', `${resource} is attached: its pods are not devloop's to replace`, {
          help: `Let what deploys it do that, or kubectl: kubectl rollout restart ${attachedName(spec)}`,
        })
      store.dispatch({ type: 'request/restart', resource })
      return accepted
    },
    async shutdown({ wait = false, ...params }, { progress }) {
      if (params.down && wait) return { ...accepted, removed: await shutdown(params, progress) }
      // after the reply
      setTimeout(() => void shutdown(params, () => {}), 20)
      return accepted
    },
    exec({ resource, container }, { viaSocket }) {
      known(resource)
      if (!viaSocket) throw new DevloopError('request/refused', 'exec is for clients on the Unix socket')
      return execPlace(context, resource, container)
    },
    verify: ({ resource }, origin) =>
      verifyTargets(context, resource === undefined ? undefined : chosen([resource]).names, origin),
    async prune({ dryRun = false }, { signal, progress }) {
      const end = Date.now() + pruneLimit
      const busy = (): boolean => Date.now() > end || (!dryRun && isBusy(context))
      progress('looking for what is not needed')
      const onRemoved = ({ from, name }: RemovedThing): void => progress(`${dryRun ? 'found' : 'removed'} ${name} (${from})`)
      return pruneRound(context, { dryRun, busy, onRemoved }, signal)
    },
    why: ({ path }) => explainPath(context, path),
    dump,
  }
}

const unknownResource = (name: string, known: readonly string[]): DevloopError =>
  new DevloopError('request/unknown-resource', `there is no resource ${JSON.stringify(name)}`, {
    why: known.length > 0 ? (didYouMean(name, known) ?? `There are ${listed(known)}.`) : 'No plan is in force yet.',
  })
