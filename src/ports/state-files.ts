// What must outlive the process: build records, and which paths were written into which container.
import type { BuildRecord } from '../model/build-record.js'
import type { Tree, Wanted } from '../model/tree.js'

export interface CommonState {
  /** The container that it was noted for; a later one at the same place may hold something else. */
  readonly containerId: string
  /** By container path. */
  readonly tree: Tree
}

export interface StateFiles {
  /** All readable records of this project, instance and runtime; unreadable ones are reported and left out. */
  loadRecords(runtime: BuildRecord['runtime']): Promise<BuildRecord[]>
  /** Written whole or not at all, on disk when it resolves. */
  saveRecord(record: BuildRecord): Promise<void>
  /** Delete the records of other images than these that nobody wrote since that time (milliseconds since 1970). Failing to is no error. */
  keepRecords(images: ReadonlySet<string>, unusedSince: number): Promise<readonly string[]>
  /** Paths (in the container) that were ever about to be written into a container; undefined = never touched. */
  touched(containerId: string): Promise<ReadonlySet<string> | undefined>
  /** Note paths before they are written. They survive a SIGKILL of this process once it resolves. */
  touch(containerId: string, paths: readonly string[]): Promise<void>
  /** Put these in the place of all that was noted of a container: what is there is whole, before and after. */
  replaceTouched(containerId: string, paths: readonly string[]): Promise<void>
  /** What a container and the local side had in common of what is synced both ways; undefined = never noted. @param place see `placeJournal` */
  common(place: string): Promise<CommonState | undefined>
  /** Note it anew, whole or not at all. */
  setCommon(place: string, common: CommonState): Promise<void>
  /** Note what of it changed. It survives a SIGKILL of this process once it resolves. */
  noteCommon(place: string, changes: ReadonlyMap<string, Wanted>): Promise<void>
  /** Forget all containers but these, and in time what others had in common. */
  keepContainers(containerIds: ReadonlySet<string>): Promise<void>
  close(): Promise<void>
}
