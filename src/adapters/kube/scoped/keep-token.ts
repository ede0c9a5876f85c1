// Renews the token of a kubeconfig that devloop wrote, for as long as a runtime is open.
import { isAbort, isDevloopError } from '../../../errors/devloop-error.js'
import type { KubeConnection } from '../connection.js'
import { replaceToken, rereadUser } from './kubeconfig-file.js'
import { requestToken } from './request-token.js'
import { renewalDue, type ScopedUser, type TokenFacts } from './scoped-user.js'

/** Longest pause between two looks: the clock of a machine that slept has gone on. Milliseconds. */
const lookMs = 600_000
/** Until what failed is tried again. Milliseconds. */
const againMs = 60_000

export interface KeptToken {
  readonly connection: KubeConnection
  /** As it was found when the connection was made. */
  readonly user: ScopedUser
  /** For what is worth a line in the log. */
  readonly log: (message: string) => void
  /** Aborted when the runtime is closed. */
  readonly life: AbortSignal
}

/** Begins at once, and waits for nothing. The token itself may ask for its successor: its role says so. */
export function keepToken({ connection, user, log, life }: KeptToken): void {
  let timer: NodeJS.Timeout | undefined
  let told = ''
  const again = (ms: number): void => {
    if (!life.aborted) timer = setTimeout(() => void look('running'), ms).unref()
  }

  const look = async (at: 'start' | 'running'): Promise<void> => {
    // another devloop, or whoever gave it, may have been first
    const now = rereadUser(user) ?? user
    const { facts } = now
    if (Date.now() < renewalDue(facts, at)) return again(pause(facts))
    try {
      const lifetimeMs = Date.parse(facts.expires) - Date.parse(facts.issued)
      const issued = await requestToken(connection, facts, lifetimeMs, life)
      await replaceToken(now, issued)
      log(`renewed the token in ${now.file}: it lasts until ${issued.facts.expires}`)
      told = ''
      again(pause(issued.facts))
    } catch (thrown) {
      if (isAbort(thrown) || life.aborted) return
      const why = isDevloopError(thrown) ? [thrown.message, thrown.info.why].filter(Boolean).join(' ') : String(thrown)
      if (why !== told) log(`the token in ${now.file}, which lasts until ${facts.expires}, could not be renewed: ${why}`)
      told = why
      again(againMs)
    }
  }

  life.addEventListener('abort', () => clearTimeout(timer), { once: true })
  void look('start')
}

/** Until the next look. */
const pause = (facts: TokenFacts): number => Math.min(Math.max(renewalDue(facts, 'running') - Date.now(), 0), lookMs)
