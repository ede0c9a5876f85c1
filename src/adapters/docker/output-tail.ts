// Output of one step: cut into lines for people, and its end kept for the error message.

const maxLines = 30
const maxChars = 4000
const maxLineLength = 2000

export interface OutputTail {
  push(chunk: Buffer | string): void
  /** Hand over what has no line end yet. */
  flush(): void
  /** The last lines, bounded. */
  tail(): string
}

export function createOutputTail(onLine: (line: string) => void): OutputTail {
  const decoder = new TextDecoder()
  const kept: string[] = []
  let held = ''
  const emit = (line: string): void => {
    // a progress bar overwrites its line: only what stays visible counts
    const shown = line.replace(/\r+$/, '').split('\r').at(-1) ?? ''
    const text = shown.length > maxLineLength ? `${shown.slice(0, maxLineLength)} …` : shown
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
      if (held.length > 64 * 1024) {
        emit(held)
        held = ''
      }
    },
    flush() {
      if (held !== '') emit(held)
      held = ''
    },
    tail: () => kept.join('\n').slice(-maxChars).trim(),
  }
}
