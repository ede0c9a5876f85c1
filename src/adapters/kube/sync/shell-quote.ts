// Text as the words of a shell command that is one line.
import { shellWord } from '../../../model/shell-word.js'

/** One word that the shell takes as exactly this text. `$N` of the loop script holds a line end. */
export const quote = (text: string): string => shellWord(text).replaceAll('\n', `'"$N"'`)

const special = new Map<number, string>([
  [0x00, '\\0000'],
  [0x0a, '\\n'],
  [0x27, '\\0047'],
  [0x5c, '\\\\'],
])

/**
 * Bytes as one quoted word on one line that `printf %b` turns into exactly these bytes.
 * Undefined when it would be longer than `limit` bytes.
 */
export function quoteBytes(bytes: Buffer, limit: number): Buffer | undefined {
  if (bytes.length + 2 > limit) return undefined
  const parts: Buffer[] = [apostrophe]
  let length = 2
  let from = 0
  for (let at = 0; at < bytes.length; at++) {
    const code = special.get(bytes[at] as number)
    if (code === undefined) continue
    parts.push(bytes.subarray(from, at), Buffer.from(code))
    length += at - from + code.length
    if (length > limit) return undefined
    from = at + 1
  }
  length += bytes.length - from
  if (length > limit) return undefined
  parts.push(bytes.subarray(from), apostrophe)
  return Buffer.concat(parts)
}

const apostrophe = Buffer.from("'")
