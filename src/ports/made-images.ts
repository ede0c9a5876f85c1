// The journal of what builds left behind in engines and registries. It outlives the process, and whatever is in it is removed one day.
import type { MadeImage, RanBuild } from '../model/made-image.js'

export interface MadeImages {
  /** Survives a SIGKILL of this process once it resolves. An image of the same name and engine replaces the earlier one. @throws DevloopError state/unwritable */
  add(image: MadeImage): Promise<void>
  /** @throws DevloopError state/unwritable */
  ran(build: RanBuild): Promise<void>
  /** Everything that is in it, oldest first; what cannot be read is left out. */
  load(): Promise<{ readonly images: readonly MadeImage[]; readonly builds: readonly RanBuild[] }>
  /** Leave only these of what `load` gave, and what was added since. @throws DevloopError state/unwritable */
  keep(images: readonly MadeImage[], builds: readonly RanBuild[]): Promise<void>
}

/** The folder of an instance whose project is gone. */
export interface AbandonedFolder {
  readonly instance: string
  readonly made: MadeImages
  /** Delete the folder. Failing to is no error. */
  remove(): Promise<void>
}

/** The state folders of this user's instances. */
export interface StateFolders {
  /** Those whose project's folder does not exist any more, and that nobody has used since that time (milliseconds since 1970). */
  abandoned(unusedSince: number): Promise<readonly AbandonedFolder[]>
  /** Names (`repository:tag`) in the journals of all instances but one. */
  madeByOthers(than: string): Promise<ReadonlySet<string>>
}
