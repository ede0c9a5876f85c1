// Paths in the container and the roots that they must stay below.
import { DevloopError } from '../../../errors/devloop-error.js'

/** A path taken apart. */
export interface SyncPath {
  readonly path: string
  /** Without the slash at its end, so '' is the container's root folder. */
  readonly folder: string
  readonly name: string
  /** The root that it belongs to. */
  readonly root: string
  /** The folders below the root that lead to it, shallow first; without the root itself. */
  readonly above: readonly string[]
}

/** Takes paths apart, and refuses those that are not clean and absolute or not in a root. @throws DevloopError sync/failed */
export function pathReader(roots: readonly string[]): (path: string) => SyncPath {
  const clean = roots.map((root) => (root.length > 1 ? root.replace(/\/+$/, '') : root))
  // the innermost root counts
  const ordered = [...new Set(clean)].sort((a, b) => b.length - a.length)
  return (path) => {
    if (!/^(\/(?!\.{1,2}(\/|$))[^/\0]+)+$/.test(path))
      throw new DevloopError('sync/failed', `This is no path of a file in a container: ${JSON.stringify(path)}.`)
    const root = ordered.find((one) => path === one || path.startsWith(one === '/' ? '/' : `${one}/`))
    if (root === undefined)
      throw new DevloopError('sync/failed', `${path} lies outside of every folder that is synced.`, {
        help: 'Please report it: devloop must never write there.',
      })
    const at = path.lastIndexOf('/')
    const above: string[] = []
    for (
      let slash = path.indexOf('/', root === '/' ? 1 : root.length + 1);
      slash > 0 && path !== root;
      slash = path.indexOf('/', slash + 1)
    )
      above.push(path.slice(0, slash))
    return { path, folder: path.slice(0, at), name: path.slice(at + 1), root, above }
  }
}
