// Cutting a byte stream into lines.
import type { Readable } from 'node:stream'

/**
 * The lines of a stream, without their ends; the last one also when it has none. Reads on only as fast as lines are taken.
 * @param maxBytes a longer line is cut there, and the rest of it dropped
 */
export async function* splitLines(stream: Readable, maxBytes: number): AsyncGenerator<string, void, undefined> {
  let parts: Buffer[] = []
  let size = 0
  const add = (part: Buffer): void => {
    const room = maxBytes - size
    if (room > 0 && part.length > 0) parts.push(part.length > room ? part.subarray(0, room) : part)
    size += part.length
  }
  const finish = (): string => {
    const line = (parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts)).toString('utf8')
    parts = []
    size = 0
    return line.endsWith('\r') ? line.slice(0, -1) : line
  }
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      add(chunk.subarray(start, end))
      yield finish()
      start = end + 1
    }
    add(chunk.subarray(start))
  }
  if (size > 0) yield finish()
}
