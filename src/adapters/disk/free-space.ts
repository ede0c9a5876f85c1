// How much room is left where a folder is, or would be made.
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface FreeSpace {
  /** Bytes that this user may still write. */
  readonly free: number
  /** Bytes of the whole file system. */
  readonly all: number
  /** Number of files that may still be made; undefined = the file system has no such limit. */
  readonly files?: number
}

/** Of the file system of a folder; of one that is not there yet, of the nearest above. Undefined = it cannot be told. */
export async function freeSpace(folder: string): Promise<FreeSpace | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    try {
      const { bsize, bavail, blocks, files, ffree } = await statfs(at)
      return { free: bsize * bavail, all: bsize * blocks, ...(files > 0 ? { files: ffree } : {}) }
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(at) === at) return undefined
    }
  }
}
