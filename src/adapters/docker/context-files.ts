// The files of a build context as the engine gets them: exactly those of the scanned tree, read and checked against it.
import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, type BigIntStats } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { DevloopError } from '../../errors/devloop-error.js'
import type { Entry, Tree } from '../../model/tree.js'

/** One thing of the context. Folders come before what is in them. */
export interface ContextEntry {
  /** Relative to the context, with `/`. */
  readonly path: string
  readonly kind: 'file' | 'link' | 'folder'
  /** Permission bits. */
  readonly mode: number
  /** Bytes; of a link, the length of its target. */
  readonly size: number
  /** What a link points to; '' for anything else. */
  readonly target: string
  /** Nanoseconds since 1970; of a file or link, hardly ever the same for other content. */
  readonly mtime: bigint
  /** The bytes of a file. @throws DevloopError build/context when they are no longer what was scanned */
  readonly content: () => AsyncIterable<Buffer>
}

const wholeLimit = 1 << 20
/** Mode of every folder: a tree does not hold folders, so theirs must not depend on this machine. */
const folderMode = 0o755

/** Paths in the order in which a walk meets them: names compared folder by folder, as bytes. */
export function sortPaths(paths: Iterable<string>): string[] {
  // a separator that is less than anything else in a name makes plain comparison do
  const keys = [...paths].map((name) => name.replaceAll('/', '\0'))
  const plain = keys.every((key) => !/[\uD800-\uFFFF]/.test(key))
  // strings compare by UTF-16 units, which differ from bytes above the surrogates
  if (plain) keys.sort()
  else keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return keys.map((key) => key.replaceAll('\0', '/'))
}

/**
 * The context's entries in walking order, with the folders that the files need.
 * @param emptyFolders folders in which nothing is; those that have gone since are left out, which no change would tell
 * @throws DevloopError build/context when a file has gone or turned into something else since the scan
 */
export async function listContext(
  root: string,
  tree: Tree,
  emptyFolders: readonly string[],
  signal: AbortSignal,
): Promise<ContextEntry[]> {
  const paths = new Set<string>()
  const add = (name: string): void => {
    for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) paths.add(name.slice(0, at))
    paths.add(name)
  }
  for (const file of tree.keys()) add(file)
  for (const folder of emptyFolders) if (isFolder(path.join(root, folder))) add(folder)
  const entries: ContextEntry[] = []
  for (const name of sortPaths(paths)) {
    entries.push(describe(path.join(root, name), name, tree.get(name)))
    // looked at synchronously, because asking for each of 50,000 files by the thread pool takes ten times as long
    if (entries.length % 500 === 0) await nextTurn()
    signal.throwIfAborted()
  }
  return entries
}

/** A file whose content is given, such as the Dockerfile. It never counts as unchanged. */
export function textFile(name: string, text: string): ContextEntry {
  const bytes = Buffer.from(text, 'utf8')
  return {
    path: name,
    kind: 'file',
    mode: 0o644,
    size: bytes.length,
    target: '',
    mtime: process.hrtime.bigint() + BigInt(Date.now()) * 1_000_000n,
    content: async function* () {
      yield bytes
    },
  }
}

const isFolder = (absolute: string): boolean => lstatSync(absolute, { throwIfNoEntry: false })?.isDirectory() ?? false

const none = async function* (): AsyncGenerator<Buffer> {}

function describe(absolute: string, name: string, entry: Entry | undefined): ContextEntry {
  let stats: BigIntStats
  try {
    stats = lstatSync(absolute, { bigint: true })
  } catch (error) {
    throw changed(name, (error as Error).message)
  }
  // The file's own time, because tools that keep state in a cache mount (cargo, make) rebuild by it; it does not count for the
  // engine's cache. The engine asks for content only when size or time differ, so the content shows in the time as well.
  const mtime = (content: string): bigint => stats.mtimeNs - (stats.mtimeNs % 1000n) + fingerprint(content)
  if (!entry) return { path: name, kind: 'folder', mode: folderMode, size: 0, target: '', mtime: stats.mtimeNs, content: none }
  if (entry.kind === 'link') {
    const { target } = entry
    const hash = createHash('sha256').update(target).digest('hex')
    return { path: name, kind: 'link', mode: 0o777, size: Buffer.byteLength(target), target, mtime: mtime(hash), content: none }
  }
  if (!stats.isFile()) throw changed(name, 'It is no file any more.')
  return {
    path: name,
    kind: 'file',
    mode: entry.mode,
    size: entry.size,
    target: '',
    mtime: mtime(entry.hash),
    content: () => readChecked(absolute, name, entry),
  }
}

async function* readChecked(absolute: string, name: string, entry: Entry & { kind: 'file' }): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  let size = 0
  try {
    if (entry.size <= wholeLimit) {
      const bytes = await readFile(absolute)
      if (bytes.length !== entry.size || hash.update(bytes).digest('hex') !== entry.hash) throw changed(name)
      yield bytes
      return
    }
    // too large to hold: what is wrong shows at the end, when the caller must give up what it made of the bytes
    for await (const chunk of createReadStream(absolute, { highWaterMark: 256 * 1024 })) {
      const bytes = chunk as Buffer
      size += bytes.length
      if (size > entry.size) throw changed(name)
      hash.update(bytes)
      yield bytes
    }
  } catch (error) {
    throw error instanceof DevloopError ? error : changed(name, (error as Error).message)
  }
  if (size !== entry.size || hash.digest('hex') !== entry.hash) throw changed(name)
}

const changed = (name: string, why?: string): DevloopError =>
  new DevloopError('build/context', `${name} changed while the context was being sent.`, {
    why,
    help: 'Nothing: the change starts another build.',
  })

/** 0 to 999, from a hash in hex. */
const fingerprint = (hash: string): bigint => BigInt(Number.parseInt(hash.slice(0, 8), 16) % 1000)
