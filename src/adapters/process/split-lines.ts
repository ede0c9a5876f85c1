// Whole lines out of chunks of output, whatever the chunk borders.
import { StringDecoder } from 'node:string_decoder'

/** Lines longer than this many characters are delivered in pieces of this length. */
export const maxLineLength = 64 * 1024

export interface LineSplitter {
  push(chunk: Buffer): void
  /** Deliver what is left without a line end. */
  end(): void
}

/** Calls `onLine` for every line of UTF-8 output, without its line end (`\n` or `\r\n`). Holds at most one line. */
export function splitLines(onLine: (line: string) => void, limit = maxLineLength): LineSplitter {
  const decoder = new StringDecoder('utf8')
  let rest = ''

  const deliver = (line: string): void => onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
  const take = (text: string): void => {
    let from = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      rest += text.slice(from, end)
      flushLong()
      deliver(rest)
      rest = ''
      from = end + 1
    }
    rest += text.slice(from)
    flushLong()
  }
  const flushLong = (): void => {
    while (rest.length > limit) {
      onLine(rest.slice(0, limit))
      rest = rest.slice(limit)
    }
  }

  return {
    push: (chunk) => take(decoder.write(chunk)),
    end() {
      take(decoder.end())
      if (rest) deliver(rest)
      rest = ''
    },
  }
}
