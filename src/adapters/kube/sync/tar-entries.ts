// Tar headers that every tar reads: plain ustar with raw UTF-8 names, and GNU's long-name entries where a name does not fit.
// (The pax headers that libraries write for such names are ignored by busybox.)

const block = 512

/** A regular file's header and padding. `name` is relative, with `/`. */
export function tarFile(name: string, mode: number, content: Buffer): Buffer[] {
  const padding = (block - (content.length % block)) % block
  return [...header(name, mode, content.length, '0'), content, Buffer.alloc(padding)]
}

/** What ends an archive, given the bytes before it: whole records of 20 blocks, which some tars insist on. */
export function tarEnd(size: number): Buffer {
  const record = 20 * block
  return Buffer.alloc(2 * block + ((record - ((size + 2 * block) % record)) % record))
}

function header(name: string, mode: number, size: number, type: string): Buffer[] {
  const bytes = Buffer.from(name)
  const split = splitName(bytes)
  if (split) return [ustar(split.name, split.prefix, mode, size, type)]
  const long = Buffer.concat([bytes, Buffer.alloc(1)])
  return [
    ustar(Buffer.from('././@LongLink'), Buffer.alloc(0), 0o644, long.length, 'L'),
    long,
    Buffer.alloc((block - (long.length % block)) % block),
    ustar(bytes.subarray(0, 100), Buffer.alloc(0), mode, size, type),
  ]
}

/** The name field holds 100 bytes, the prefix 155; they are joined by the slash between them. */
function splitName(bytes: Buffer): { name: Buffer; prefix: Buffer } | undefined {
  if (bytes.length <= 100) return { name: bytes, prefix: Buffer.alloc(0) }
  const slash = bytes.indexOf(0x2f, Math.max(1, bytes.length - 101))
  if (slash < 0 || slash > 155 || slash === bytes.length - 1) return undefined
  return { name: bytes.subarray(slash + 1), prefix: bytes.subarray(0, slash) }
}

function ustar(name: Buffer, prefix: Buffer, mode: number, size: number, type: string): Buffer {
  const bytes = zeroes()
  name.copy(bytes, 0)
  bytes.write(
    `${octal(mode, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0${octal(size, 11)}\0${octal(0, 11)}\0        ${type}`,
    100,
    'latin1',
  )
  bytes.write('ustar\x0000', 257, 'latin1')
  prefix.copy(bytes, 345)
  let sum = 0
  // an iterator here would be most of the time that packing takes
  for (let index = 0; index < block; index++) sum += bytes[index] as number
  bytes.write(`${octal(sum, 6)}\0 `, 148, 'latin1')
  return bytes
}

let slab = Buffer.alloc(0)

/** A block of zeroes of its own, cut from a larger piece: thousands of small allocations are slow. */
function zeroes(): Buffer {
  if (slab.length === 0) slab = Buffer.alloc(128 * block)
  const bytes = slab.subarray(0, block)
  slab = slab.subarray(block)
  return bytes
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0')
