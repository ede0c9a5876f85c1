// Reading and writing the protocol buffers wire format: as much of it as the engine's session and build trace use.

/** One field of a message as it came: varints as bigint, everything of a length as bytes. */
export interface Field {
  readonly number: number
  readonly value: bigint | Buffer
}

/** The fields of a message in their order. @throws Error when the bytes end early or are no message */
export function* readFields(message: Buffer): Generator<Field> {
  let at = 0
  const varint = (): bigint => {
    let result = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++]
      if (byte === undefined) throw new Error('protobuf: message ends within a number')
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, result)
    }
    throw new Error('protobuf: number is too long')
  }
  const bytes = (length: number): Buffer => {
    if (at + length > message.length) throw new Error('protobuf: message ends within a field')
    at += length
    return message.subarray(at - length, at)
  }
  while (at < message.length) {
    const tag = Number(varint())
    const number = tag >>> 3
    switch (tag & 7) {
      case 0:
        yield { number, value: varint() }
        break
      case 1:
        yield { number, value: bytes(8) }
        break
      case 2:
        yield { number, value: bytes(Number(varint())) }
        break
      case 5:
        yield { number, value: bytes(4) }
        break
      default:
        throw new Error(`protobuf: unknown wire type ${tag & 7}`)
    }
  }
}

/** Text of a field that holds a string; '' for any other. */
export const textOf = (field: Field): string => (typeof field.value === 'bigint' ? '' : field.value.toString('utf8'))

/** A field's number, signed as int32 and int64 are; 0 for a field that is none. */
export const numberOf = (field: Field): number => (typeof field.value === 'bigint' ? Number(BigInt.asIntN(64, field.value)) : 0)

/** A field's bytes; empty for a number. */
export const bytesOf = (field: Field): Buffer => (typeof field.value === 'bigint' ? Buffer.alloc(0) : field.value)

/** Collects fields of one message. Values that are the default (0, empty) are left out, as proto3 does. */
export interface MessageWriter {
  number(field: number, value: number | bigint): MessageWriter
  bytes(field: number, value: Buffer | string): MessageWriter
  /** A message within the message, written even when empty: its presence means something. */
  message(field: number, value: MessageWriter): MessageWriter
  finish(): Buffer
}

export function writeMessage(): MessageWriter {
  const parts: Buffer[] = []
  const head: number[] = []
  const flush = (): void => {
    if (head.length > 0) parts.push(Buffer.from(head.splice(0)))
  }
  const varint = (value: number | bigint): void => {
    if (typeof value === 'number' && value >= 0 && value <= 0x7fffffff) {
      let rest = value
      while (rest > 0x7f) {
        head.push((rest & 0x7f) | 0x80)
        rest >>>= 7
      }
      head.push(rest)
      return
    }
    let rest = BigInt.asUintN(64, BigInt(value))
    while (rest > 0x7fn) {
      head.push(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    head.push(Number(rest))
  }
  const lengthDelimited = (field: number, value: Buffer): void => {
    varint((field << 3) | 2)
    varint(value.length)
    flush()
    parts.push(value)
  }
  const writer: MessageWriter = {
    number(field, value) {
      if (value !== 0 && value !== 0n) {
        varint(field << 3)
        varint(value)
      }
      return writer
    },
    bytes(field, value) {
      if (value.length > 0) lengthDelimited(field, typeof value === 'string' ? Buffer.from(value, 'utf8') : value)
      return writer
    },
    message(field, value) {
      lengthDelimited(field, value.finish())
      return writer
    },
    finish() {
      flush()
      return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
    },
  }
  return writer
}
