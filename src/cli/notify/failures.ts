// What is worth interrupting somebody for: that something failed, and that it is well again.
import { sessionOf, resourcesOf, type Views } from '../../client/status/views.js'
import type { ErrorInfo } from '../../errors/devloop-error.js'

export interface Notice {
  readonly event: 'failed' | 'recovered'
  /** A resource, `Devloopfile` or `devloop`. */
  readonly subject: string
  /** Of what failed. */
  readonly error?: ErrorInfo
}

export interface Failures {
  /** What is new since the last call. */
  look(views: Views): readonly Notice[]
}

/** What is known of something that has failed and is not well since. */
interface Known {
  readonly error: ErrorInfo | undefined
  /** The save after which it failed. */
  readonly change: string | undefined
}

/**
 * Follows the views. A failure is told once: not again while it is tried again, or a reload makes it anew, and fails alike; but again when
 * it fails in another way, or after another save. What is well again is told when it is ready.
 */
export function followFailures(): Failures {
  const failed = new Map<string, Known>()
  return {
    look(views) {
      const notices: Notice[] = []
      const now = subjects(views)
      for (const { subject, state, error, change } of now) {
        const known = failed.get(subject)
        if (state === 'failed') {
          failed.set(subject, { error, change })
          if (known && known.change === change && isSame(known.error, error)) continue
          notices.push({ event: 'failed', subject, ...(error ? { error } : {}) })
        } else if (state === 'well' && known) {
          failed.delete(subject)
          notices.push({ event: 'recovered', subject })
        } else if (state === 'away') failed.delete(subject)
      }
      // what left the plan is nobody's concern any more
      for (const subject of failed.keys()) if (!now.some((one) => one.subject === subject)) failed.delete(subject)
      return notices
    },
  }
}

interface Subject extends Known {
  readonly subject: string
  /** `between`: it is being worked on, or waits. `away`: somebody has disabled it. */
  readonly state: 'failed' | 'well' | 'between' | 'away'
}

function subjects(views: Views): readonly Subject[] {
  const session = sessionOf(views)
  if (!session) return []
  const { devloopfile, runtime } = session
  const change = undefined
  return [
    {
      subject: 'Devloopfile',
      state: devloopfile.state === 'loading' ? 'between' : devloopfile.state === 'ok' ? 'well' : 'failed',
      error: devloopfile.error,
      change,
    },
    {
      subject: 'devloop',
      state: runtime.error || runtime.state === 'lost' ? 'failed' : runtime.state === 'connected' ? 'well' : 'between',
      error: runtime.error,
      change,
    },
    ...resourcesOf(views).map(({ name, status, error, ready, lastChange }): Subject => {
      const away = status === 'disabled' || status === 'removing'
      return {
        subject: name,
        state: away ? 'away' : status === 'failed' ? 'failed' : ready ? 'well' : 'between',
        error,
        change: lastChange?.id,
      }
    }),
  ]
}

/** Whether it is the same in all that does not change from try to try, such as the name of a pod or the last words of a container. */
const isSame = (one: ErrorInfo | undefined, other: ErrorInfo | undefined): boolean =>
  one?.code === other?.code && one?.where?.file === other?.where?.file && one?.where?.line === other?.where?.line
