// What a Devloopfile prints, as lines, and not without end.

const maxLines = 1_000
const maxBytes = 256 * 1024
const maxLine = 4_000

export interface OutputLines {
  /** Stands in for `write` of a stream of the process. */
  readonly write: typeof process.stdout.write
  /** Give what stands after the last newline. */
  flush(): void
}

export function createOutputLines(onLine: (text: string) => void): OutputLines {
  let rest = ''
  let lines = 0
  let bytes = 0
  const give = (text: string): void => {
    lines += 1
    bytes += text.length
    if (lines > maxLines || bytes > maxBytes) {
      if (lines <= maxLines + 1 || bytes - text.length <= maxBytes)
        onLine('... the rest of the output of the Devloopfile is left out')
      lines = maxLines + 1
      bytes = maxBytes + 1 + text.length
      return
    }
    onLine(text.length > maxLine ? `${text.slice(0, maxLine)}...` : text)
  }
  const write = (chunk: string | Uint8Array, encodingOrDone?: unknown, done?: unknown): boolean => {
    const parts = (rest + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())).split('\n')
    rest = (parts.pop() ?? '').slice(0, maxLine + 1)
    for (const part of parts) give(part)
    const callback = typeof encodingOrDone === 'function' ? encodingOrDone : done
    if (typeof callback === 'function') process.nextTick(callback as () => void)
    return true
  }
  return {
    write: write as typeof process.stdout.write,
    flush() {
      if (rest) give(rest)
      rest = ''
    },
  }
}
