// One line on a terminal's stderr that says how far something has come, and goes when it is done.
import { harmless } from '../../client/status/harmless.js'
import { fit } from './fit.js'

export interface ProgressLine {
  show(progress: { readonly message: string; readonly done?: number; readonly total?: number }): void
  /** Takes it away; needed before anything else is written to the same terminal. */
  clear(): void
}

/** Writes nothing where stderr is no terminal that can be drawn on. */
export function createProgressLine({ stderr, env }: Pick<NodeJS.Process, 'stderr' | 'env'>): ProgressLine {
  const isShown = stderr.isTTY && env.TERM !== 'dumb'
  let shown = false
  return {
    show({ message, done, total }) {
      if (!isShown) return
      const count = total !== undefined && total > 1 ? `[${done}/${total}] ` : ''
      // one column stays free: a line that fills the last one may wrap
      stderr.write(`\r${fit(`${count}${harmless(message).replaceAll('\n', ' ')}`, (stderr.columns || 80) - 1)}\x1b[K`)
      shown = true
    },
    clear() {
      if (shown) stderr.write('\r\x1b[K')
      shown = false
    },
  }
}
