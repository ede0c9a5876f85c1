// What follows when files were written into a container: steps that run, a restart, signals and requests. And which of them do.
import type { Duplex } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import { DevloopError } from '../errors/devloop-error.js'
import { describeNotice } from '../model/live-rules.js'
import type { ImageSpec, LiveRule, ReloadSignal } from '../model/plan.js'
import type { TargetState } from '../model/state.js'
import type { SyncSession } from '../ports/sync-transport.js'
import type { TargetPatch } from '../store/actions.js'
import type { ControlContext } from './context.js'
import { notifyByHttp } from './notify-by-http.js'
import { isOwed, nothingOwed, type Owed } from './owed.js'
import type { Difference } from './sync-difference.js'
import { stepRules, type Layers, type StepRule } from './sync-layers.js'

/** What a target must be brought to. */
export interface Wanted {
  readonly target: TargetState
  readonly spec: ImageSpec
  readonly layers: Layers
  readonly digest: string
  readonly revision: number
  /** Revisions of the images that it is built on; undefined = none. */
  readonly bases: Readonly<Record<string, number>> | undefined
  readonly restarts: number
  /** What changed since waits for a trigger: only a restart may be due. */
  readonly held: boolean
}

export interface TargetStepsOptions {
  readonly context: ControlContext
  /** Of the target. */
  readonly id: string
  readonly patch: (change: TargetPatch) => void
  /** A line of its log. Default of `source`: `sync`. */
  readonly tell: (level: 'info' | 'warn', text: string, source?: string) => void
  readonly open: (wanted: Wanted) => Promise<SyncSession>
  /** What is wanted now. */
  readonly look: () => Wanted | undefined
  /** Ends with the target. */
  readonly signal: AbortSignal
}

export interface TargetSteps {
  /** Note a stage on the changes that lead to what is wanted. */
  stage(wanted: Wanted, name: string, detail?: string): void
  /**
   * Carry out what is owed, and take each off when it is done. `overtaken`: a newer change ended a step, which stays owed.
   * @throws DevloopError run/*, restart/*, signal/*, notify/*, sync/*
   */
  pay(wanted: Wanted, owed: Owed): Promise<'paid' | 'overtaken'>
  /** End the step that runs when there is something newer to write. */
  cancelOvertaken(): void
}

/** How long the app may take until it listens again; then the change counts as live all the same. */
const answerMs = 30_000

export function createTargetSteps({ context, id, patch, tell, open, look, signal }: TargetStepsOptions): TargetSteps {
  const { store, runtime } = context
  /** A step that runs and that a newer change ends. */
  let cancelable: { readonly revision: number; readonly bases: Wanted['bases']; readonly cancel: AbortController } | undefined
  /** The wait for the process that was started last. */
  let answering: AbortController | undefined

  const stage = ({ target, revision, bases }: Wanted, name: string, detail?: string): void => {
    for (const [image, held] of [[target.image, revision] as const, ...Object.entries(bases ?? {})])
      store.dispatch({ type: 'change/stage', image, revision: held, stage: name, ...(detail === undefined ? {} : { detail }) })
  }

  const pay = async (wanted: Wanted, owed: Owed): Promise<'paid' | 'overtaken'> => {
    const { target, layers } = wanted
    if (!isOwed(owed)) return 'paid'
    for (const rule of stepRules(layers)) {
      if (!owed.steps.has(ruleKey(rule))) continue
      if (rule.kind === 'notify') {
        await notify(rule, wanted, owed)
      } else {
        if ((await runStep(await open(wanted), rule, wanted)) === 'overtaken') return 'overtaken'
        stage(wanted, 'ran', commandText(rule))
      }
      owed.steps.delete(ruleKey(rule))
    }
    // rules that have left the Devloopfile are owed no more
    owed.steps.clear()
    if (owed.restart) {
      if (!target.restartable) {
        tell('warn', `${target.pod}/${target.container} cannot be restarted in place; the files are there`)
      } else {
        const stream = await open(wanted)
        await stream.restart(signal)
        stage(wanted, 'restarted')
        tellReplaced(target)
        awaitAnswer(stream, wanted)
      }
      owed.restart = false
      // the new process has read everything anyway
      owed.signals.clear()
    }
    for (const name of owed.signals) {
      await sendSignal(name, wanted)
      stage(wanted, 'signalled', name)
      owed.signals.delete(name)
    }
    return 'paid'
  }

  /** The change is live when the new process listens. Nothing waits for that. */
  const awaitAnswer = (stream: SyncSession, wanted: Wanted): void => {
    answering?.abort()
    const port = firstPort(wanted.target)
    if (!stream.listening || port === undefined) return
    const mine = (answering = new AbortController())
    patch({ starting: true })
    const limit = AbortSignal.any([signal, mine.signal, AbortSignal.timeout(answerMs)])
    void stream
      .listening(port, limit)
      .then(() => stage(wanted, 'answered'))
      // it was lost, or takes too long: what becomes of the app shows in its pod
      .catch(() => {})
      .finally(() => {
        if (answering === mine) patch({ starting: undefined })
      })
  }

  /** That the app says it listens on; undefined where it says none, or runs under a debugger that may hold it. */
  const firstPort = ({ resource }: TargetState): number | undefined => {
    const spec = store.state().plan?.resources[resource]
    return spec?.kind === 'app' && !spec.debug ? Object.values(spec.ports)[0] : undefined
  }

  /** So that whoever debugs it attaches again. */
  const tellReplaced = ({ resource, pod }: TargetState): void => {
    const { targets, plan, forwards } = store.state()
    patch({ replaced: (targets[id]?.replaced ?? 0) + 1 })
    const spec = plan?.resources[resource]
    if (spec?.kind !== 'app' || !spec.debug) return
    const { local } = spec.debug
    tell('info', `the process in ${pod} was replaced: attach the debugger again at localhost:${forwards[local]?.opened ?? local}`)
  }

  const sendSignal = async (name: ReloadSignal, wanted: Wanted): Promise<void> => {
    const { pod, container } = wanted.target
    const stream = await open(wanted)
    if (!stream.signal)
      throw new DevloopError('signal/failed', `${name} cannot be sent to the process in ${pod}/${container}.`, {
        why: `What is used there is: ${stream.description}.`,
      })
    await stream.signal(name, signal)
    tell('info', `the process in ${pod} got ${name}`)
  }

  const notify = async (
    { how, timeoutMs, at }: Extract<LiveRule, { kind: 'notify' }>,
    wanted: Wanted,
    owed: Owed,
  ): Promise<void> => {
    const { target } = wanted
    if (how.kind === 'signal') {
      // one that is about to be replaced reads everything anyway
      if (owed.restart && target.restartable) return
      await sendSignal(how.signal, wanted)
    } else {
      const current = runtime.current
      if (!current) throw new DevloopError('sync/disconnected', 'not connected')
      const place = { namespace: target.namespace, name: target.pod }
      const dial = (limit: AbortSignal): Promise<Duplex> => current.dial(place, how.port, limit)
      const status = await notifyByHttp({ how, dial, timeoutMs, name: target.pod, at }, signal)
      tell('info', `${target.pod} was notified by ${describeNotice(how)} (${status})`)
    }
    stage(wanted, 'notified', describeNotice(how))
  }

  const runStep = async (
    stream: SyncSession,
    rule: Extract<LiveRule, { kind: 'run' }>,
    { target, revision, bases }: Wanted,
  ): Promise<'done' | 'overtaken'> => {
    const text = commandText(rule)
    const limit = AbortSignal.timeout(rule.timeoutMs)
    const cancel = new AbortController()
    if (rule.cancelOnChange) cancelable = { revision, bases, cancel }
    // what was saved while the files were on their way has poked already
    cancelOvertaken()
    const tail: string[] = []
    tell('info', `running ${text} in ${target.pod}`, 'run')
    let exitCode: number
    try {
      const ended = await stream.run(
        rule.command,
        (line) => {
          tail.push(line)
          if (tail.length > 20) tail.shift()
          tell('info', line, 'run')
        },
        AbortSignal.any([limit, cancel.signal, signal]),
        rule.user,
      )
      exitCode = ended.exitCode
    } catch (thrown) {
      if (cancel.signal.aborted && !signal.aborted) {
        tell('info', `${text} in ${target.pod} was ended, since more was saved meanwhile`, 'run')
        return 'overtaken'
      }
      if (limit.aborted)
        throw new DevloopError('run/timeout', `\`${text}\` did not finish in ${rule.timeoutMs / 1000} s in ${target.pod}`, {
          where: rule.at,
          why: tail.join('\n'),
        })
      throw thrown
    } finally {
      cancelable = undefined
    }
    if (exitCode !== 0)
      throw new DevloopError('run/failed', `\`${text}\` failed with exit code ${exitCode} in ${target.pod}`, {
        where: rule.at,
        why: tail.join('\n'),
      })
    return 'done'
  }

  /** End the step that runs when there is something newer to write. */
  const cancelOvertaken = (): void => {
    if (!cancelable) return
    const now = look()
    if (!now || now.held) return
    if (now.revision !== cancelable.revision || !isDeepStrictEqual(now.bases, cancelable.bases)) cancelable.cancel.abort()
  }

  return { stage, pay, cancelOvertaken }
}

const ruleKey = (rule: StepRule): string =>
  JSON.stringify(rule.kind === 'run' ? [rule.command, rule.on] : ['notify', rule.how, rule.on])

const commandText = (rule: Extract<LiveRule, { kind: 'run' }>): string =>
  typeof rule.command === 'string' ? rule.command : rule.command.join(' ')

/** The steps that writing some paths leads to, by the rules of the images that they come from. */
export function dueSteps(differences: readonly Difference[]): Owed {
  const due = nothingOwed()
  for (const layer of new Set(differences.map((one) => one.layer))) {
    const { spec, files } = layer
    // where several files lead, the one that is gone may be what the step is for
    const paths = differences.flatMap(({ layer: of, path, source }) =>
      of !== layer ? [] : files.rules.isContested(path) ? files.rules.sourcesOf(path) : [source],
    )
    const triggered = files.rules.triggers(paths)
    for (const index of triggered.steps) {
      const rule = spec.live[index]
      if (rule?.kind === 'run' || rule?.kind === 'notify') due.steps.add(ruleKey(rule))
    }
    for (const signal of triggered.signals) due.signals.add(signal)
    due.restart ||= triggered.restart
  }
  return due
}
