// Files whose names and contents are hard on what carries them.
import { createHash, randomBytes } from 'node:crypto'
import type { Entry } from '../../src/model/tree.js'
import type { SyncOp } from '../../src/ports/sync-transport.js'

const sha256 = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex')

/** A file operation with this content. */
export function fileOp(path: string, content: Buffer | string, mode = 0o644): SyncOp {
  const bytes = Buffer.from(content)
  return { op: 'file', path, mode, size: bytes.length, hash: sha256(bytes), content: () => Promise.resolve(bytes) }
}

/** The entry that a file with this content is. */
export const fileEntry = (content: Buffer | string, mode = 0o644): Entry => ({
  kind: 'file',
  hash: sha256(content),
  mode,
  size: Buffer.from(content).length,
})

/** Names that break what is put together from words. The bytes of some are those that shells use for themselves. */
export const oddNames = [
  'with space',
  ' leading and trailing ',
  "it's",
  'double"quote',
  'back\\slash',
  'new\nline',
  'ends in newline\n',
  'carriage\rreturn',
  'tab\there',
  '-rf',
  '--help',
  '*',
  '[a-z]?',
  '$HOME',
  '$(echo no)',
  '`echo no`',
  '!bang',
  '~',
  '#hash',
  'a;b&c|d<e>f(g){h}',
  '%s%n',
  '\\0001',
  'ünïcödé',
  '日本語',
  'Ĉāăąćĉ',
  '😀 emoji',
  'e\u0301 combining',
  '.hidden',
  '..double',
  '...',
  'control\u0001\u007f',
  'n'.repeat(200),
]

/** Contents that break what reads lines or words. */
export const contents: readonly (readonly [string, Buffer])[] = [
  ['empty', Buffer.alloc(0)],
  ['one byte', Buffer.from('x')],
  ['no line end', Buffer.from('a\nb')],
  ['only line ends', Buffer.from('\n\n\n')],
  ['every byte', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
  ['zeros', Buffer.alloc(3000)],
  ['quotes and backslashes', Buffer.from(String.raw`'"\n\0041\\$(x)` + '`y`'.repeat(50))],
  ['digits after escapes', Buffer.from('\0' + '01234567' + "'" + '777\\7')],
  ['4 kB of text', Buffer.from('const a = 1\n'.repeat(340))],
  ['64 kB', randomBytes(65_536)],
  ['an odd size', randomBytes(123_457)],
]

/** The number in a name like `file-12.js`. */
export const index = (path: string): number => Number(/(\d+)\.js$/.exec(path)?.[1])

/** The same bytes in pieces. */
export function* chunked(content: Buffer, size: number): Generator<Buffer> {
  for (let from = 0; from < content.length; from += size) yield content.subarray(from, from + size)
}
