// A command that runs in a container, as streams: what the shell session is built on, whatever carries it.
import type { Readable, Writable } from 'node:stream'
import type { DevloopError } from '../../../errors/devloop-error.js'

export interface ExecStream {
  /** Takes no more than the other side does: a write's callback comes when there is room again. Ending it ends the command's input where the carrier can, else not at all. */
  readonly stdin: Writable
  /** Must be read (or resumed): unread output holds up the other side. */
  readonly stdout: Readable
  readonly stderr: Readable
  /** Settles once, after the output has ended; never rejects. */
  readonly ended: Promise<ExecEnd>
  /** Let go at once. The command itself may go on. */
  close(): void
}

export type ExecEnd =
  /** 128 + n when signal n ended it. */
  | { readonly kind: 'exited'; readonly exitCode: number }
  /** The command did not start, or the connection broke. */
  | { readonly kind: 'failed'; readonly error: DevloopError }

/**
 * Starts a command in one container. Resolves when the connection is open; that the command cannot be started may show in `ended` only.
 * The signal covers the opening.
 * @throws DevloopError sync/*, cluster/*
 */
export type OpenExec = (
  argv: readonly string[],
  options: { readonly stdin: boolean; readonly signal: AbortSignal },
) => Promise<ExecStream>
