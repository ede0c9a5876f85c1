// Waits until resources that were triggered are ready, or have failed.
import type { ControlContext } from '../control/context.js'
import { DevloopError, type ErrorInfo } from '../errors/devloop-error.js'
import type { ResourceView, TriggerOutcome } from '../protocol/messages.js'
import type { RequestOrigin } from '../server/request-handlers.js'
import type { ViewSource } from '../server/view-source.js'
import { settledAs } from '../store/settled.js'

/** Trouble of pods counts when it has stood for so long: while they are replaced it comes and goes. Milliseconds. */
const standsMs = 3_000
/** Looks at the state at most this often. Milliseconds. */
const paceMs = 30
/** What passes when the cluster has room. */
const waitsOut = new Set<ErrorInfo['code']>(['pod/unschedulable'])

/**
 * @param views the same state, for words: without secrets
 * @returns in the order of the names
 * @throws the signal's reason
 */
export function outcomesOf(
  { store, work }: Pick<ControlContext, 'store' | 'work'>,
  views: ViewSource,
  names: readonly string[],
  { signal, progress }: Pick<RequestOrigin, 'signal' | 'progress'>,
): Promise<readonly TriggerOutcome[]> {
  const outcomes = new Map<string, TriggerOutcome>()
  /** Since when the pods of a resource have had this trouble. */
  const troubles = new Map<string, { readonly code: string; readonly since: number }>()
  let timer: NodeJS.Timeout | undefined
  let pace: NodeJS.Timeout | undefined
  let said = ''

  /** When to look again at the latest, if something is not known yet only because it may pass. */
  function look(now: number): number | undefined {
    let again: number | undefined
    for (const name of names) {
      if (outcomes.has(name)) continue
      const view = views.views().get(`resource/${name}`) as ResourceView | undefined
      const settled = settledAs(store.state(), work.current(), name, now)
      if (settled === 'ready') outcomes.set(name, { resource: name, ready: true })
      if (settled === 'failed') outcomes.set(name, failed(name, view?.error ?? errorOf(name)))
      const error = settled === 'shaky' ? view?.error : undefined
      if (!error || waitsOut.has(error.code)) {
        troubles.delete(name)
        continue
      }
      const known = troubles.get(name)
      const trouble = known?.code === error.code ? known : { code: error.code, since: now }
      troubles.set(name, trouble)
      const due = trouble.since + standsMs
      if (due <= now) outcomes.set(name, failed(name, error))
      else again = Math.min(due, again ?? due)
    }
    return again
  }

  /** Of one whose pods serve as before: its view tells of them. */
  function errorOf(name: string): ErrorInfo {
    const { deploy, disabled } = store.state().resources[name] ?? { disabled: 'plan' }
    if (deploy?.status === 'failed' && deploy.error) return deploy.error
    const why = disabled ? 'It is disabled, or no longer in the plan.' : work.current().holds[name]?.message
    return new DevloopError('request/refused', `${name} cannot become ready`, { why }).info
  }

  function tell(): void {
    const waiting = names.flatMap((name) => {
      if (outcomes.has(name)) return []
      const view = views.views().get(`resource/${name}`) as ResourceView | undefined
      return [`${name}: ${view?.activity ?? view?.hold?.message ?? view?.status ?? 'waiting'}`]
    })
    const message = waiting.length > 0 ? waiting.join('; ') : 'done'
    if (message === said) return
    said = message
    progress(message, { done: outcomes.size, total: names.length })
  }

  return new Promise((resolve, reject) => {
    const end = (): void => {
      unsubscribe()
      clearTimeout(timer)
      clearTimeout(pace)
      signal.removeEventListener('abort', onAbort)
    }
    const onAbort = (): void => {
      end()
      reject(signal.reason as Error)
    }
    const check = (): void => {
      const again = look(Date.now())
      tell()
      clearTimeout(timer)
      if (outcomes.size === names.length) {
        end()
        resolve(names.flatMap((name) => outcomes.get(name) ?? []))
      } else if (again !== undefined) timer = setTimeout(check, Math.max(1, again - Date.now()))
    }
    const unsubscribe = work.subscribe(() => {
      pace ??= setTimeout(() => {
        pace = undefined
        check()
      }, paceMs)
    })
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    check()
  })
}

const failed = (resource: string, error: ErrorInfo): TriggerOutcome => ({ resource, ready: false, error })
