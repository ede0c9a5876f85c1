// Frames of the agent's protocol: how they are put together and taken apart. agent/frame.go is the other end.

/** Both ends must have the same. */
export const protocol = 3
/** A longer frame is a mistake, in bytes without the length itself. */
export const maxFrame = 4 * 1024 * 1024
/** What comes before a frame's body: length (4 bytes), kind (1), number (4). */
export const headBytes = 9

export const kinds = {
  hello: 1,
  inspect: 2,
  write: 3,
  begin: 4,
  chunk: 5,
  end: 6,
  discard: 7,
  run: 8,
  cancel: 9,
  restart: 10,
  list: 11,
  signal: 12,
  watch: 13,
  read: 14,
  listening: 15,
  dial: 16,
  welcome: 128,
  done: 129,
  failed: 130,
  facts: 131,
  output: 132,
  exited: 133,
  alive: 134,
  refused: 135,
  listed: 136,
  resumed: 137,
  kept: 138,
  content: 139,
  watching: 140,
  changed: 141,
  again: 142,
} as const

/** Operations of a `write` frame. */
export const operations = { file: 1, link: 2, delete: 3, rmdir: 4, expect: 5 } as const
/** What an `inspect` finds. */
export const factKinds = { absent: 0, file: 1, link: 2, unknown: 3 } as const
/** Where a command's output came from. */
export const outputs = { main: 1, errors: 2 } as const

export interface AgentFrame {
  readonly kind: number
  /** An answer has the number of what it answers; 0 = nothing in particular. */
  readonly number: number
  readonly body: Buffer
}

/** A frame as bytes. @throws RangeError when it is too long */
export const frameBytes = (kind: number, number: number, body: readonly Buffer[]): Buffer =>
  Buffer.concat(frameParts(kind, number, body))

/** A frame as its parts, which are not put together: whoever sends it copies them anyway. @throws RangeError when it is too long */
export function frameParts(kind: number, number: number, body: readonly Buffer[]): readonly Buffer[] {
  const size = body.reduce((sum, part) => sum + part.length, 0)
  if (size + headBytes - 4 > maxFrame) throw new RangeError(`a frame of ${size} bytes`)
  const head = Buffer.allocUnsafe(headBytes)
  head.writeUInt32BE(size + headBytes - 4, 0)
  head.writeUInt8(kind, 4)
  head.writeUInt32BE(number, 5)
  return [head, ...body]
}

/** Takes whatever pieces of a stream arrive and gives the frames in it. `push` throws RangeError on what cannot be a frame. */
export function createFrameReader(onFrame: (frame: AgentFrame) => void): { push(chunk: Buffer): void } {
  let held: Buffer[] = []
  let size = 0
  /** Bytes that are needed before it is worth looking again. */
  let needed = headBytes
  return {
    push(chunk) {
      held.push(chunk)
      size += chunk.length
      if (size < needed) return
      let all = held.length === 1 ? chunk : Buffer.concat(held, size)
      for (;;) {
        needed = headBytes
        if (all.length < headBytes) break
        const length = all.readUInt32BE(0)
        if (length < headBytes - 4 || length > maxFrame) throw new RangeError(`a frame of ${length} bytes`)
        needed = 4 + length
        if (all.length < needed) break
        const frame = { kind: all.readUInt8(4), number: all.readUInt32BE(5), body: all.subarray(headBytes, needed) }
        all = all.subarray(needed)
        onFrame(frame)
      }
      held = [all]
      size = all.length
    },
  }
}

/** Reads a body field by field. Every method throws RangeError when there is less than it asks for. */
export interface FieldReader {
  readonly done: boolean
  byte(): number
  number(): number
  /** 64 bits. */
  long(): number
  bytes(count: number): Buffer
  /** What has its length before it. */
  sized(): Buffer
  text(): string
}

export function readFields(body: Buffer): FieldReader {
  let at = 0
  const take = (count: number): number => {
    if (at + count > body.length) throw new RangeError('a frame that is too short')
    at += count
    return at - count
  }
  const bytes = (count: number): Buffer => {
    const from = take(count)
    return body.subarray(from, from + count)
  }
  const number = (): number => body.readUInt32BE(take(4))
  const sized = (): Buffer => bytes(number())
  return {
    get done() {
      return at === body.length
    },
    byte: () => body.readUInt8(take(1)),
    number,
    long: () => Number(body.readBigUInt64BE(take(8))),
    bytes,
    sized,
    text: () => sized().toString('utf8'),
  }
}

export function numberField(value: number): Buffer {
  const field = Buffer.allocUnsafe(4)
  field.writeUInt32BE(value)
  return field
}

export function longField(value: number): Buffer {
  const field = Buffer.allocUnsafe(8)
  field.writeBigUInt64BE(BigInt(value))
  return field
}

export const byteField = (value: number): Buffer => Buffer.from([value])

/** The fields of something that has its length before it. */
export const sizedFields = (value: Buffer | string): Buffer[] => {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value)
  return [numberField(bytes.length), bytes]
}
