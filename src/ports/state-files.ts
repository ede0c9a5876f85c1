// What must outlive the process: build records, and which paths were written into which container.
import type { BuildRecord } from '../model/build-record.js'

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
  /** Forget all containers but these. */
  keepContainers(containerIds: ReadonlySet<string>): Promise<void>
  close(): Promise<void>
}
