// Output of one step: cut into lines for people, and its end kept for the error message.

const maxLines = 30
const maxChars = 4000
const maxLineLength = 2000
const maxLast = 5

export interface OutputTail {
  /** @returns whether a line was completed */
  push(chunk: Buffer | string): boolean
  /** Hand over what has no line end yet. */
  flush(): void
  /** The last lines, bounded. */
  tail(): string
  /** The very last lines, for showing while it runs. */
  last(): readonly string[]
}

/** @param mask hides secrets */
export function createOutputTail(onLine: (line: string) => void, mask: (line: string) => string): OutputTail {
  const decoder = new TextDecoder()
  const kept: string[] = []
  let held = ''
  const emit = (line: string): void => {
    // a progress bar overwrites its line: only what stays visible counts
    const shown = line.replace(/\r+$/, '').split('\r').at(-1) ?? ''
    const masked = mask(shown)
    const text = masked.length > maxLineLength ? `${masked.slice(0, maxLineLength)} …` : masked
    kept.push(text)
    if (kept.length > maxLines) kept.shift()
    onLine(text)
  }
  return {
    push(chunk) {
      held += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
      const lines = held.split('\n')
      held = lines.pop() ?? ''
      for (const line of lines) emit(line)
      // output without line ends must not pile up
      const full = held.length > 64 * 1024
      if (full) {
        emit(held)
        held = ''
      }
      return full || lines.length > 0
    },
    flush() {
      if (held !== '') emit(held)
      held = ''
    },
    tail: () => kept.join('\n').slice(-maxChars).trim(),
    last: () => kept.slice(-maxLast),
  }
}
