// What the container holds, its bytes, and what must not be overwritten, by the tools that a shell has.
import { DevloopError } from '../../../errors/devloop-error.js'
import { sameEntry, type Wanted } from '../../../model/tree.js'
import type { SyncOp } from '../../../ports/sync-transport.js'
import type { FrameAnswer } from './frame-channel.js'
import { temporaryPrefix, type Tool } from './loop-script.js'
import { quote } from './shell-quote.js'
import type { SyncPath } from './sync-paths.js'

type Exchange = (code: Buffer) => Promise<FrameAnswer>

/** Tools without which nothing can be read back: contents are told apart by their hashes. */
export const canRead = (tools: ReadonlySet<Tool>): boolean => tools.has('cat') && tools.has('sha256sum')

/** A path of a list that the container's user may not read, with all that is below it. */
const unreadable = '!'

/**
 * The paths of all files and links at some places and below, without what is skipped. It uses the shell alone, and so forks nothing.
 * @returns undefined for a folder that cannot be read
 */
export async function listPaths(
  exchange: Exchange,
  places: readonly string[],
  skip: readonly string[],
): Promise<Map<string, true | undefined>> {
  const skipped = skip.length > 0 ? `${skip.map(quote).join('|')}) ;; ` : ''
  // a link or file is told, a folder is gone into; a pattern that matches nothing names nothing
  const code = [
    `tell() { if [ -L "$1" ]; then printf '+%s\\000' "$1"`,
    `elif [ -d "$1" ]; then case $1 in ${skipped}*) if [ -r "$1" ] && [ -x "$1" ]; then into "$1"; else printf '${unreadable}%s\\000' "$1"; fi;; esac`,
    `elif [ -f "$1" ]; then printf '+%s\\000' "$1"; fi; }`,
    `into() { for f in "$1"/* "$1"/.[!.]* "$1"/..?*; do case \${f##*/} in ${temporaryPrefix}*) ;; *) tell "$f";; esac; done; }`,
    // a place may be a link to a folder
    ...places.map((place) => `if [ -d ${quote(place)} ]; then into ${quote(place)}; else tell ${quote(place)}; fi`),
    // the last of the tests above may have failed
    ':',
  ].join('; ')
  const { output, status } = await exchange(Buffer.from(code))
  if (status !== 0)
    throw new DevloopError('sync/failed', 'What the container holds could not be listed.', { why: output.toString('utf8') })
  const found = new Map<string, true | undefined>()
  for (const line of output.toString('utf8').split('\0'))
    if (line !== '') found.set(line.slice(1), line.startsWith(unreadable) ? undefined : true)
  return found
}

/** Bytes that are read in one frame. */
const pieceBytes = 1024 * 1024

/** The bytes of a file, in pieces where the container has `dd`. @throws DevloopError sync/failed */
export async function* readPieces(
  exchange: Exchange,
  tools: ReadonlySet<Tool>,
  path: string,
  size: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const whole = size <= pieceBytes || !tools.has('dd')
  for (let piece = 0; piece === 0 || (!whole && piece * pieceBytes < size); piece++) {
    signal.throwIfAborted()
    const code = whole ? `cat ${quote(path)}` : `dd if=${quote(path)} bs=${pieceBytes} skip=${piece} count=1 2>/dev/null`
    const { output, status } = await exchange(Buffer.from(code))
    if (status !== 0)
      throw new DevloopError('sync/failed', `${path} cannot be read.`, { why: output.toString('utf8').trim().slice(0, 500) })
    if (output.length > 0) yield output
  }
}

/**
 * Of guarded operations, the paths that must be left alone: they hold something else than is expected, or something stands in their way.
 * Empty folders in the way are removed.
 * @param inspect what is there now
 */
export async function keptPaths(
  ops: readonly SyncOp[],
  read: (path: string) => SyncPath,
  inspect: (paths: readonly string[]) => Promise<Map<string, Wanted>>,
  exchange: Exchange,
): Promise<Set<string>> {
  const guarded = ops.flatMap((op) =>
    op.op !== 'rmdir' && op.expected ? [{ path: op.path, expected: op.expected, op: op.op }] : [],
  )
  const kept = new Set<string>()
  if (guarded.length === 0) return kept
  const found = await inspect(guarded.map(({ path }) => path))
  for (const { path, expected } of guarded) if (!sameEntry(found.get(path), expected)) kept.add(path)
  const removed = new Set(ops.flatMap((op) => (op.op === 'delete' && !kept.has(op.path) ? [op.path] : [])))
  const writes = guarded.filter(({ op, path }) => op !== 'delete' && !kept.has(path))
  const places = writes.filter(({ expected }) => expected.kind === 'absent').map(({ path }) => path)
  const folders = [...new Set(writes.flatMap(({ path }) => read(path).above))].filter((folder) => !removed.has(folder))
  const inWay = new Set([
    // a folder stands there, or something that is neither file nor link
    ...(await testEach(exchange, places, 'if [ -d "$f" ]; then rmdir "$f" 2>/dev/null; else [ ! -e "$f" ]; fi')),
    ...(await testEach(exchange, folders, '[ ! -L "$f" ] && { [ -d "$f" ] || [ ! -e "$f" ]; }')),
  ])
  for (const { path } of writes) if (inWay.has(path) || read(path).above.some((folder) => inWay.has(folder))) kept.add(path)
  return kept
}

/** Guarded operations as others, on temporary paths, and what gives those their names when they are there. */
export interface SwapPlan {
  /** In place of the guarded ones. */
  readonly ops: readonly SyncOp[]
  readonly deletes: readonly Swap[]
  readonly writes: readonly Swap[]
  /** Takes the temporary paths apart, too. */
  readonly read: (path: string) => SyncPath
  /** The path that a temporary one is for. */
  readonly nameOf: (path: string) => string
}

interface Swap {
  readonly path: string
  readonly temporary: string
  readonly expected: Wanted
}

export function planSwaps(ops: readonly SyncOp[], read: (path: string) => SyncPath, session: string): SwapPlan {
  const temporaries = new Map<string, SyncPath>()
  const deletes: Swap[] = []
  const writes: Swap[] = []
  const others = ops.flatMap((op): readonly SyncOp[] => {
    if (op.op === 'rmdir' || !op.expected) return [op]
    const { path, expected } = op
    if (op.op === 'delete') {
      deletes.push({ path, temporary: '', expected })
      return []
    }
    const at = read(path)
    const name = `${temporaryPrefix}${session}-${writes.length}`
    const temporary = `${at.folder}/${name}`
    temporaries.set(temporary, { ...at, path: temporary, name, ...(at.path === at.root ? { root: at.folder || '/' } : {}) })
    writes.push({ path, temporary, expected })
    return [{ ...op, path: temporary }]
  })
  const names = new Map(writes.map(({ temporary, path }) => [temporary, path]))
  return {
    ops: others,
    deletes,
    writes,
    read: (path) => temporaries.get(path) ?? read(path),
    nameOf: (path) => names.get(path) ?? path,
  }
}

/** Remove what was written for swaps that do not come about. Whatever goes wrong is left to the sweep of a later session. */
export async function dropTemporaries(exchange: Exchange, swaps: readonly Swap[]): Promise<void> {
  for (let from = 0; from < swaps.length; from += swapsAtOnce) {
    const part = swaps.slice(from, from + swapsAtOnce).map(({ temporary }) => quote(temporary))
    await exchange(Buffer.from(`rm -f ${part.join(' ')} 2>/dev/null || :`)).catch(() => {})
  }
}

/** Swaps of one frame. */
const swapsAtOnce = 50

/** Carry out swaps. @returns the paths that were left alone */
export async function swapEach(exchange: Exchange, swaps: readonly Swap[], tools: ReadonlySet<Tool>): Promise<string[]> {
  const kept: string[] = []
  for (let from = 0; from < swaps.length; from += swapsAtOnce) {
    const part = swaps.slice(from, from + swapsAtOnce)
    const code = part.map(
      ({ path, temporary, expected }, number) =>
        `swap ${number} ${temporary === '' ? "''" : quote(temporary)} ${quote(path)} ${quote(heldText(expected, tools)) || "''"}`,
    )
    const { output } = await exchange(Buffer.from(code.join('; ')))
    for (const [, number] of output.toString('utf8').matchAll(/^kept (\d+)$/gm)) {
      const one = part[Number(number)]
      if (one) kept.push(one.path)
    }
  }
  return kept
}

function heldText(held: Wanted, tools: ReadonlySet<Tool>): string {
  if (held.kind === 'file') return held.hash
  // without readlink any link counts
  if (held.kind === 'link') return tools.has('readlink') ? `-> ${held.target}` : '->'
  return ''
}

/** Paths of one question. */
const atOnce = 500

/** The paths for which a test fails. */
async function testEach(exchange: Exchange, paths: readonly string[], test: string): Promise<string[]> {
  const failing: string[] = []
  for (let from = 0; from < paths.length; from += atOnce) {
    const part = paths.slice(from, from + atOnce)
    const { output } = await exchange(
      Buffer.from(`n=0; for f in ${part.map(quote).join(' ')}; do { ${test}; } || printf '%s ' "$n"; n=$((n+1)); done`),
    )
    for (const number of output.toString('utf8').split(' ')) {
      const path = number.trim() === '' ? undefined : part[Number(number)]
      if (path !== undefined) failing.push(path)
    }
  }
  return failing
}
