// `devloop status --wait`: until what is meant is ready, or until what was saved up to now is live.
import { setTimeout as sleep } from 'node:timers/promises'
import type { DevloopClient } from '../client/index.js'
import { errorText } from '../client/status/error-text.js'
import { changesOf, isAtRest, sessionOf, type Views } from '../client/status/views.js'
import { DevloopError, isDevloopError } from '../errors/devloop-error.js'
import type { ChangeView, ResourceView } from '../protocol/messages.js'
import { exitCodes } from './exit.js'
import { checkSelectors, selectedResources, selectedViews, unknownSelectors } from './select-views.js'

export interface WaitFor {
  readonly state: 'ready' | 'live'
  /** Resources that are meant, as names or `label:NAME`; empty = all. */
  readonly only: readonly string[]
  readonly timeoutMs: number
}

/** A save is told of when it was read and compared, which a burst delays. Milliseconds. */
const noticedWithin = 500

/** @returns the exit code: failure when it did not come to that, which is said on stderr */
export async function waitUntil(client: DevloopClient, { state, only, timeoutMs }: WaitFor): Promise<number> {
  const deadline = Date.now() + timeoutMs
  const asked = Date.now() + noticedWithin
  const saved = (views: Views): ChangeView[] => changesOf(selectedViews(views, only)).filter(({ at }) => at <= asked)
  if (state === 'live') await sleep(Math.min(noticedWithin, timeoutMs))
  const reached = (views: Views): readonly string[] | true | undefined => {
    if (state === 'live') {
      const failed = saved(views).filter(({ outcome }) => outcome === 'failed')
      if (failed.length > 0) return failed.map(changeText)
      if (!areLive(saved(views), changesOf(selectedViews(views, only)))) return undefined
      // such as a local, for which no save waits
      const broken = selectedResources(views, only).filter(({ status }) => status === 'failed')
      if (broken.length > 0) return broken.map(resourceText)
    }
    return areReady(views, only) || undefined
  }
  try {
    const end = await client.waitFor(reached, { timeoutMs: Math.max(1, deadline - Date.now()) })
    if (end === true) return exitCodes.ok
    return told(new DevloopError('change/failed', `not live: ${end.join('; ')}`))
  } catch (thrown) {
    if (!isDevloopError(thrown) || thrown.code !== 'timeout') throw thrown
    const views = client.views()
    checkSelectors(views, only)
    const after = `after ${timeoutMs / 1000} s`
    const pending = state === 'live' ? saved(views).filter(({ outcome }) => outcome === 'pending') : []
    const late = pending.length > 0 ? `not live ${after}: ${pending.map(changeText).join('; ')}` : undefined
    return told(new DevloopError('timeout', late ?? `not ready ${after}: ${waiting(views, only) || 'no plan is in force'}`))
  }
}

/** Whether what is meant is ready; of a group, what starts by itself. */
function areReady(views: Views, only: readonly string[]): boolean | undefined {
  if (only.length === 0) return sessionOf(views)?.ready
  if (sessionOf(views)?.devloopfile.state === 'loading' || unknownSelectors(views, only).length > 0) return false
  return selectedResources(views, only).every((one) => one.ready || (isAtRest(one) && !only.includes(one.name)))
}

/** Of one that a newer change took the place of, the newer one has to be live. */
function areLive(saved: readonly ChangeView[], all: readonly ChangeView[]): boolean {
  if (saved.some(({ outcome }) => outcome === 'pending')) return false
  return !saved.some(({ outcome }) => outcome === 'superseded') || !all.some(({ outcome }) => outcome === 'pending')
}

const waiting = (views: Views, only: readonly string[]): string =>
  selectedResources(views, only)
    .filter((one) => !one.ready && (!isAtRest(one) || only.includes(one.name)))
    .map(resourceText)
    .join('; ')

const resourceText = ({ name, error, hold, activity, status }: ResourceView): string =>
  `${name} (${error?.message ?? hold?.message ?? activity ?? status})`

const changeText = ({ name, paths, pathCount, resources }: ChangeView): string =>
  `change ${name} of ${pathCount === 1 ? (paths[0] ?? '') : `${pathCount} paths`}${resources.length > 0 ? ` (${resources.join(', ')})` : ''}`

function told(error: DevloopError): number {
  process.stderr.write(`devloop: ${errorText(error.info)}\n`)
  return exitCodes.failure
}
