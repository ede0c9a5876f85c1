// What must be written into a container: its manifest against the overlay.
import { hash as hashOnce } from 'node:crypto'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { isDevloopError } from '../errors/devloop-error.js'
import { emptiedFolders } from '../model/drift.js'
import { forEachLimited } from '../model/for-each-limited.js'
import { sameEntry, type Wanted } from '../model/tree.js'
import type { SourceFiles } from '../ports/source-files.js'
import type { SyncOp } from '../ports/sync-transport.js'
import { isIn } from './source-tree.js'
import { lookUp, overlaidPaths, type Layer, type Layers } from './sync-layers.js'

/** Container path to what it holds, for paths that may hold something else than the image. `null` = written to, and not known. */
export type Manifest = Map<string, Wanted | null>

export interface Difference {
  readonly path: string
  readonly wanted: Wanted
  /** Path in the context of `layer`. */
  readonly source: string
  /** The image that it comes from. */
  readonly layer: Layer
  /** What the container must hold for it to be written; undefined = whatever it holds. */
  readonly expected?: Wanted
}

/** Paths whose content must change, in no order. */
export function difference(manifest: Manifest, layers: Layers): Difference[] {
  const result: Difference[] = []
  for (const path of new Set([...overlaidPaths(layers), ...manifest.keys()])) {
    const { wanted, source, layer, drifted } = lookUp(path, layers)
    const held = manifest.get(path)
    // what was never written to holds what the image does
    const differs = held === undefined ? drifted : held === null || !sameEntry(held, wanted)
    if (!differs || (wanted.kind === 'absent' && isHeld(source, layer))) continue
    result.push({ path, wanted, source, layer })
  }
  return result
}

/** Whether a path of the context is gone with a whole folder, whose files containers keep. */
const isHeld = (source: string, { files: { held } }: Layer): boolean =>
  held.size > 0 && [...held].some((folder) => isIn(source, folder))

/** The operations for some differences, and what the container holds when they are done. Reads the small files. */
export async function operations(
  differences: readonly Difference[],
  sources: SourceFiles,
): Promise<{ ops: SyncOp[]; result: Map<string, Wanted> }> {
  const ops: SyncOp[] = []
  const result = new Map<string, Wanted>()
  const deleted = differences.filter((one) => one.wanted.kind === 'absent')
  for (const { path, wanted, expected } of deleted) {
    ops.push({ op: 'delete', path, ...(expected ? { expected } : {}) })
    result.set(path, wanted)
  }
  for (const layer of new Set(deleted.map((one) => one.layer))) {
    const own = deleted.filter((one) => one.layer === layer)
    for (const path of emptiedFolders(own, layer.files.tree)) ops.push({ op: 'rmdir', path })
  }
  await forEachLimited(differences, 16, async ({ path, wanted, source, layer, expected }) => {
    const guard = expected ? { expected } : {}
    if (wanted.kind === 'link') {
      ops.push({ op: 'link', path, target: wanted.target, ...guard })
      result.set(path, wanted)
    } else if (wanted.kind === 'file') {
      const content = await readSource(sources, join(layer.spec.context, source), wanted.hash)
      // it is gone again: the event that says so is on its way
      if (content === undefined) return
      const { mode } = wanted
      if (Buffer.isBuffer(content)) {
        // what is sent is what was read, which may be newer than the tree
        const entry: Wanted = {
          kind: 'file',
          mode,
          size: content.length,
          hash: hashOnce('sha256', content, 'hex'),
        }
        ops.push({
          op: 'file',
          path,
          mode,
          size: entry.size,
          hash: entry.hash,
          content: () => Promise.resolve(content),
          ...guard,
        })
        result.set(path, entry)
      } else {
        ops.push({
          op: 'file',
          path,
          mode,
          size: wanted.size,
          hash: wanted.hash,
          ...guard,
          // whoever writes it checks that it is what was hashed
          content: () => Promise.resolve(content),
        })
        result.set(path, wanted)
      }
    }
  })
  return { ops, result }
}

async function readSource(sources: SourceFiles, file: string, hash: string): Promise<Buffer | Readable | undefined> {
  try {
    return await sources.read(file, hash)
  } catch (thrown) {
    const cause = isDevloopError(thrown) ? thrown.cause : thrown
    if ((cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return undefined
    throw thrown
  }
}
