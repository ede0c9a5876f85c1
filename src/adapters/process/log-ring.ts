// The newest output of one pod, kept in bounded memory, and who follows it.
import type { LogLine } from '../../ports/runtime.js'

export interface LogRing {
  add(text: string): void
  /** The last lines, for an error's explanation: at most 20 lines and 4,000 characters. */
  tail(): string
  /** The kept lines from `since` on, then every new one, until the ring is closed or the signal aborts. */
  follow(since: number, onLine: (line: LogLine) => void, signal: AbortSignal): Promise<void>
  close(): void
}

const maxLines = 5000
const maxCharacters = 1024 * 1024

export function createLogRing(): LogRing {
  const closed = new AbortController()
  const followers = new Set<(line: LogLine) => void>()
  let lines: LogLine[] = []
  // lines before this index are dropped; the array is cut now and then, not for every line
  let first = 0
  let characters = 0

  return {
    add(text) {
      const line = { at: Date.now(), text }
      lines.push(line)
      characters += text.length
      while (lines.length - first > maxLines || (characters > maxCharacters && lines.length - first > 1)) {
        characters -= lines[first]?.text.length ?? 0
        first += 1
      }
      if (first > maxLines) {
        lines = lines.slice(first)
        first = 0
      }
      for (const follower of followers) follower(line)
    },
    tail: () => tailOf(lines.slice(Math.max(first, lines.length - 20)).map((line) => line.text)),
    async follow(since, onLine, signal) {
      if (signal.aborted) return
      for (const line of lines.slice(first)) if (line.at >= since) onLine(line)
      if (closed.signal.aborted) return
      await new Promise<void>((resolve) => {
        const end = (): void => {
          followers.delete(onLine)
          signal.removeEventListener('abort', end)
          closed.signal.removeEventListener('abort', end)
          resolve()
        }
        followers.add(onLine)
        signal.addEventListener('abort', end)
        closed.signal.addEventListener('abort', end)
      })
    },
    close: () => closed.abort(),
  }
}

/** The last lines of some output, at most 20 and 4,000 characters. */
export function tailOf(lines: readonly string[]): string {
  const text = lines.slice(-20).join('\n')
  return text.length > 4000 ? `…${text.slice(-4000)}` : text
}
