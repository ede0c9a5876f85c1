// Writing into local folders what comes back from containers.
import type { Entry, Wanted } from '../model/tree.js'

export interface SourcePlace {
  /** Folder that nothing is written out of, absolute. */
  readonly root: string
  /** Relative to it, with `/`. */
  readonly path: string
}

export interface SourceWriter {
  /**
   * Make a file or link what came back, whole or not at all, as long as what stands there is `was`. Missing folders are made; no link is
   * gone through.
   * @param content the bytes of a file
   * @returns `kept`: something else than `was` stands there, or on the way. `changed`: the bytes are not those of `wanted`, or the folder has gone
   * meanwhile
   * @throws DevloopError sync/local
   */
  write(
    place: SourcePlace,
    was: Wanted,
    wanted: Entry,
    content: () => AsyncIterable<Buffer>,
    signal: AbortSignal,
  ): Promise<'written' | 'kept' | 'changed'>
  /**
   * Delete a file or link as long as it is `was`, and the folders that are empty then.
   * @param within the outermost folder that is left also when it is empty, relative to the root
   * @throws DevloopError sync/local
   */
  remove(place: SourcePlace, was: Wanted, within: string, signal: AbortSignal): Promise<'written' | 'kept'>
}
