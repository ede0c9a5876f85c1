// What a command prints, as lines.
import { StringDecoder } from 'node:string_decoder'
import type { Readable } from 'node:stream'

const maxLine = 64 * 1024

/** Gives whole lines of what comes in pieces; a line without end is given at the end, one that is too long in pieces. */
export function createLineReader(onLine: (line: string) => void): { push(chunk: Buffer): void; end(): void } {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const give = (line: string): void => onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
  return {
    push(chunk) {
      const parts = (rest + decoder.write(chunk)).split('\n')
      rest = parts.pop() ?? ''
      for (const line of parts) give(line)
      while (rest.length > maxLine) {
        give(rest.slice(0, maxLine))
        rest = rest.slice(maxLine)
      }
    },
    end() {
      rest += decoder.end()
      if (rest !== '') give(rest)
      rest = ''
    },
  }
}

/** The lines of a stream. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  const reader = createLineReader(onLine)
  stream.on('data', reader.push)
  stream.on('end', reader.end)
}
