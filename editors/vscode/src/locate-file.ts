// Which file of the project a printed path means. Compilers in a container print the container's paths, and the views do not say which
// folder became which: so the end of the path decides, where only one file of the project ends like that.
import { isAbsolute, join, normalize } from 'node:path'

export interface FileLookup {
  /** Folders that relative paths may be relative to, the likeliest first. */
  readonly folders: readonly string[]
  /** Whether a file is there and belongs to the project. */
  readonly has: (path: string) => boolean | Promise<boolean>
  /** The project's files of this name, as absolute paths; without what package managers put there. */
  readonly named: (name: string) => Promise<readonly string[]>
}

/** Files that come with a language or a package, wherever they are. */
const foreign =
  /^node:|(?:^|\/)(?:node_modules|site-packages|dist-packages|\.cargo\/registry|go\/pkg\/mod|lib\/python[\d.]+)\/|^\/usr\/(?:local\/)?(?:lib|include|share)\//

/** The absolute path of the file that is meant; undefined = it is none of the project, or it is not clear which. */
export async function locateFile(printed: string, { folders, has, named }: FileLookup): Promise<string | undefined> {
  const path = normalize(printed)
  if (foreign.test(path) || path.includes('\0')) return undefined
  const candidates = isAbsolute(path) ? [path] : folders.map((folder) => join(folder, path))
  for (const candidate of candidates) if (await has(candidate)) return candidate
  const parts = path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..')
  const name = parts.at(-1)
  if (name === undefined) return undefined
  const files = (await named(name)).map((file) => ({ file, common: commonEnd(parts, file.split('/')) }))
  const longest = Math.max(0, ...files.map(({ common }) => common))
  const best = files.filter(({ common }) => common === longest)
  // the name alone proves little where it stands deep in folders that the project does not have
  if (longest === 0 || (longest === 1 && parts.length > 4)) return undefined
  return best.length === 1 ? best[0]?.file : undefined
}

function commonEnd(a: readonly string[], b: readonly string[]): number {
  let count = 0
  while (count < a.length && count < b.length && a.at(-1 - count) === b.at(-1 - count)) count++
  return count
}
