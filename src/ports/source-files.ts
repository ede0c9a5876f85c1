// Reading sources: trees with content hashes.
import type { Readable } from 'node:stream'
import type { Entry, Tree } from '../model/tree.js'

export interface SourceFiles {
  /**
   * The whole tree below a folder (absolute; or a single file, whose only path is ''), symbolic links as links, devices and sockets left out.
   * `known` spares hashing what has the same size, mtime, inode as when `known` was made by this object.
   * @throws DevloopError sync/source; a missing root gives an empty tree with `missing`
   */
  scan(
    root: string,
    ignored: (path: string, isDirectory: boolean) => boolean,
    signal: AbortSignal,
  ): Promise<{ tree: Tree; missing: boolean }>
  /**
   * Look at single paths below a root (relative, `/`). A path that is a folder gives all that is below it.
   * Result: for each path looked at or found, what is there now; undefined = nothing.
   */
  look(
    root: string,
    paths: readonly string[],
    ignored: (path: string, isDirectory: boolean) => boolean,
    signal: AbortSignal,
  ): Promise<Map<string, Entry | undefined>>
  /** Whether nothing is at any of some absolute paths, or nothing can be told of it. Ends with the first that is there. */
  gone(paths: Iterable<string>): boolean
  /**
   * The folders below a root in which nothing is that `scan` would find, relative, with `/`. Those below them are named too.
   * @throws DevloopError sync/source
   */
  emptyFolders(root: string, ignored: (path: string, isDirectory: boolean) => boolean, signal: AbortSignal): Promise<string[]>
  /**
   * The bytes of one file: a Buffer up to 1 MiB, else a stream.
   * @param hash what the file was found to hold: bytes with this hash that were read a moment ago do, whatever it holds by now
   * @throws DevloopError sync/source
   */
  read(file: string, hash?: string): Promise<Buffer | Readable>
}
