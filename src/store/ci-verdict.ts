// Whether a run of `devloop ci` is over, and how: a pure function of the state and of what was seen before.
import { errorCodes, type ErrorCode } from '../errors/codes.js'
import type { ErrorInfo } from '../errors/devloop-error.js'
import { didYouMean, listed } from '../errors/did-you-mean.js'
import type { CiLimits, CiReport, CiResource } from '../model/ci-report.js'
import type { ResourceState, State } from '../model/state.js'
import { ciFailure, containerKey, isJob } from './ci-failure.js'
import { ciSkipped } from './ci-skipped.js'
import type { NextWork } from './next-work.js'
import { select, selectable } from './selectors.js'

/** What a state does not tell: what was seen so far. Plain data. Times in milliseconds since 1970. */
export interface CiMemory {
  readonly startedAt: number
  /** By resource: since when it has been started and not ready. */
  readonly unready: Readonly<Record<string, number>>
  /** By resource: when it was started first. */
  readonly started: Readonly<Record<string, number>>
  /** By resource: when it was ready first. */
  readonly ready: Readonly<Record<string, number>>
  /** By container: how often it had been restarted when that counted no more against it. */
  readonly restarts: Readonly<Record<string, number>>
  /** By resource: since when the error that it has now has been there. */
  readonly errors: Readonly<Record<string, number>>
  /** Whether something in the cluster was started and not ready yet in this run. */
  readonly fresh: boolean
  /** Since when everything has been ready. */
  readonly settled?: number
  /** Since when the cluster has been out of reach. */
  readonly lost?: number
}

export const newCiMemory = (startedAt: number): CiMemory => ({
  startedAt,
  unready: {},
  started: {},
  ready: {},
  restarts: {},
  errors: {},
  fresh: false,
})

/** Everything must have been ready for so long: what crashes at once, or a file that a command has just written, is noticed. */
const settleMs = 1000
/** The same for pods that this run has started: their node looks once a second at what became of a container, and tells it later. */
const settlePodsMs = 5000
/** How long the cluster may be out of reach. */
const lostMs = 30_000

export interface CiLook {
  readonly memory: CiMemory
  /** Undefined = it goes on. */
  readonly report?: CiReport
  /** Look again then, although nothing may have happened. Milliseconds since 1970. */
  readonly wakeAt?: number
}

/** @param over limits of the command line */
export function lookAtCi(state: State, next: NextWork, memory: CiMemory, over: CiLimits, now: number): CiLook {
  const limits = limitsOf(state, over)
  const names = Object.keys(state.resources)
  const skipped = new Map(names.flatMap((name) => optionalPair(name, ciSkipped(state, name))))
  const counted = names.flatMap((name) => (skipped.has(name) ? [] : (state.resources[name] ?? [])))
  const seen = remember(state, counted, memory, limits, now)
  const wakes: number[] = [seen.startedAt + limits.timeoutMs]

  const errors = new Map<string, ErrorInfo>()
  for (const resource of counted) {
    const failure = ciFailure(state, resource, seen, now)
    if (!failure) {
      const since = seen.unready[resource.name]
      if (since === undefined || isJob(state, resource)) continue
      if (now < since + limits.readinessTimeoutMs) wakes.push(since + limits.readinessTimeoutMs)
      else errors.set(resource.name, notReady(state, resource, next, limits.readinessTimeoutMs))
    } else if (failure.countsAt(limits.graceMs) <= now) errors.set(resource.name, failure.error)
    else wakes.push(failure.countsAt(limits.graceMs))
  }
  const problems = problemsOf(state, counted, seen, wakes, now)
  for (const [name, { reason, fails }] of skipped)
    if (fails) problems.push(problem('ci/needs', `${name} cannot start: ${reason}`))
  const isLate = now >= seen.startedAt + limits.timeoutMs
  if (isLate) problems.push(problem('ci/timeout', `not everything was ready within ${limits.timeoutMs / 1000} s`))
  const unknown = state.plan && isLoaded(state) ? select(state.plan, state.session.only).unknown : []
  for (const one of unknown) {
    const known = state.plan ? selectable(state.plan) : []
    const why = didYouMean(one, known) ?? (known.length > 0 ? `There are ${listed(known)}.` : 'There are none.')
    problems.push(problem('request/unknown-resource', `there is no resource ${JSON.stringify(one)}`, why))
  }
  if (isLoaded(state) && counted.length === 0 && problems.length === 0) {
    const reasons = [...new Set([...skipped.values()].map(({ reason }) => reason))].join('; ')
    problems.push(problem('ci/nothing', 'there is nothing to run', reasons === '' ? 'The plan has no resources.' : reasons))
  }

  const report = (outcome: CiReport['outcome']): CiReport => ({
    ...summary(state, seen, now),
    outcome,
    problems,
    resources: names.map((name) => resourceReport(state, next, name, skipped.get(name)?.reason, errors.get(name), seen)),
  })
  if (errors.size > 0 || problems.length > 0) return { memory: seen, report: report('failed') }
  if (seen.settled !== undefined) {
    const passes = seen.settled + (seen.fresh ? settlePodsMs : settleMs)
    if (now >= passes) return { memory: seen, report: report('passed') }
    wakes.push(passes)
  }
  return { memory: seen, wakeAt: Math.min(...wakes) }
}

/** The report of a run that somebody ended before it was over. */
export function interruptedReport(state: State, next: NextWork, memory: CiMemory, now: number): CiReport {
  const resources = Object.keys(state.resources).map((name) =>
    resourceReport(state, next, name, ciSkipped(state, name)?.reason, undefined, memory),
  )
  return { ...summary(state, memory, now), outcome: 'interrupted', problems: [], resources }
}

const summary = (state: State, memory: CiMemory, now: number): Omit<CiReport, 'outcome' | 'problems' | 'resources'> => ({
  project: state.plan?.name ?? '',
  runtime: state.session.runtime,
  version: state.session.version,
  startedAt: memory.startedAt,
  durationMs: now - memory.startedAt,
})

function limitsOf({ plan }: State, over: CiLimits): Required<CiLimits> {
  const set = plan?.settings.ci ?? { timeoutMs: 1_800_000, readinessTimeoutMs: 300_000, graceMs: 0 }
  return { ...set, ...over }
}

const isLoaded = ({ plan, devloopfile }: State): boolean =>
  plan !== null && devloopfile.status === 'ok' && devloopfile.loaded === devloopfile.wanted

function remember(
  state: State,
  counted: readonly ResourceState[],
  memory: CiMemory,
  limits: Required<CiLimits>,
  now: number,
): CiMemory {
  const [unready, started, ready, restarts, errors] = [
    {} as Record<string, number>,
    { ...memory.started },
    { ...memory.ready },
    { ...memory.restarts },
    {} as Record<string, number>,
  ]
  for (const resource of counted) {
    const { name } = resource
    const isStarted = resource.local
      ? resource.local.serve !== 'none' && resource.local.run !== 'running'
      : resource.appliedKey !== null
    if (isStarted) started[name] ??= now
    if (resource.ready) ready[name] ??= now
    else if (isStarted) unready[name] = memory.unready[name] ?? now
    if (resource.observed?.error) errors[name] = memory.errors[name] ?? now
    for (const pod of resource.observed?.pods ?? []) {
      const isEarly = now < (started[name] ?? now) + limits.graceMs
      for (const container of pod.containers) {
        const key = containerKey(pod, container)
        // what was there before this run may have had its crashes then
        const atFirst = pod.createdAt >= memory.startedAt ? 0 : container.restarts
        if (isEarly && limits.graceMs > 0) restarts[key] = container.restarts
        else restarts[key] ??= atFirst
      }
    }
  }
  const isFresh = state.session.runtime === 'kubernetes' && counted.some((one) => !one.local && unready[one.name] !== undefined)
  const isSettled =
    isLoaded(state) &&
    counted.length > 0 &&
    counted.every((one) => one.ready) &&
    Object.keys(state.removals).length === 0 &&
    (state.runtime.status === 'connected' || counted.every((one) => one.local))
  const isLost = state.runtime.status !== 'connected' && state.runtime.error !== undefined
  return {
    startedAt: memory.startedAt,
    unready,
    started,
    ready,
    restarts,
    errors,
    fresh: memory.fresh || isFresh,
    ...(isSettled ? { settled: memory.settled ?? now } : {}),
    ...(isLost ? { lost: memory.lost ?? now } : {}),
  }
}

/** Nothing will come of waiting for these, though a daemon would try again: somebody may mend it there. */
const hopeless = new Set<ErrorCode>(['cluster/none', 'cluster/unauthorized', 'cluster/forbidden'])

function problemsOf(
  state: State,
  counted: readonly ResourceState[],
  memory: CiMemory,
  wakes: number[],
  now: number,
): ErrorInfo[] {
  const { devloopfile, runtime, removals } = state
  if (devloopfile.error && devloopfile.status === 'failed' && devloopfile.loaded === devloopfile.wanted)
    return [devloopfile.error]
  const problems: ErrorInfo[] = []
  if (runtime.error && memory.lost !== undefined && counted.some((one) => !one.local)) {
    const { code } = runtime.error
    const isFinal = errorCodes[code].retry === 'on-change' || hopeless.has(code)
    if (isFinal || now >= memory.lost + lostMs) problems.push(runtime.error)
    else wakes.push(memory.lost + lostMs)
  }
  for (const { error, retryAt } of Object.values(removals)) if (error && retryAt === undefined) problems.push(error)
  return problems
}

function resourceReport(
  state: State,
  { holds }: NextWork,
  name: string,
  skipped: string | undefined,
  error: ErrorInfo | undefined,
  memory: CiMemory,
): CiResource {
  const type = state.plan?.resources[name]?.kind ?? ''
  const resource = state.resources[name]
  const readyAt = memory.ready[name]
  const readyMs = readyAt === undefined ? {} : { readyMs: readyAt - memory.startedAt }
  if (skipped !== undefined) return { name, type, outcome: 'skipped', reason: skipped }
  if (error) return { name, type, outcome: 'failed', error, ...readyMs }
  if (resource?.ready) return { name, type, outcome: 'passed', ...readyMs }
  const reason = holds[name]?.message ?? resource?.observed?.message ?? (resource && describeLocal(resource)) ?? 'not started yet'
  return { name, type, outcome: 'waiting', reason, ...readyMs }
}

const describeLocal = ({ local, deploy }: ResourceState): string | undefined =>
  local?.run === 'running'
    ? 'it runs'
    : local && local.serve !== 'none'
      ? 'it is not ready yet'
      : deploy?.status === 'running'
        ? 'it is being deployed'
        : deploy
          ? 'it is not ready yet'
          : undefined

function notReady(state: State, resource: ResourceState, { holds }: NextWork, timeoutMs: number): ErrorInfo {
  const { name, observed, local } = resource
  const targets = Object.values(state.targets).filter((one) => one.resource === name)
  const cause = local?.error ?? observed?.error ?? targets.find((one) => one.error)?.error
  const why = cause
    ? [cause.message, cause.why].filter(Boolean).join('\n')
    : (observed?.message ?? holds[name]?.message ?? 'It was started, and nothing is known to be wrong with it.')
  const where = cause?.where ?? state.plan?.resources[name]?.at
  return {
    ...problem('ci/not-ready', `${name} was not ready within ${timeoutMs / 1000} s of its start`, why),
    ...(where ? { where } : {}),
  }
}

const problem = (code: ErrorCode, message: string, why?: string): ErrorInfo => ({
  code,
  message,
  ...(why === undefined ? {} : { why }),
  help: errorCodes[code].help,
})

const optionalPair = <V>(key: string, value: V | undefined): [string, V][] => (value === undefined ? [] : [[key, value]])
