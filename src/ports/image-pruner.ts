// Removing what builds left behind: in the engine, in registries, and in the engine's build cache.
import type { MadeImage } from '../model/made-image.js'

/** Something in the engine's build cache that no running build uses. Times are milliseconds since 1970, by this machine's clock. */
export interface CacheEntry {
  readonly id: string
  /** Bytes. */
  readonly size: number
  readonly createdAt: number
  readonly usedAt: number
}

/** An image as its labels tell, without what only the journal knows. */
export type LabelledImage = Omit<MadeImage, 'cluster'>

export interface ImagePruner {
  /** Address of the engine, as `MadeImage.engine` has it. @throws DevloopError engine/*; AbortError */
  engine(signal: AbortSignal): Promise<string>
  /**
   * What the engine has of an instance, whether or not the journal knows: images with its label, under the names that devloop gave them,
   * which are made of their own id. So neither an image that was built on one of them nor one that was tagged by hand is among them.
   * @throws DevloopError engine/*; AbortError
   */
  labelled(instance: string, signal: AbortSignal): Promise<readonly LabelledImage[]>
  /**
   * Take its name from an image in the engine, which deletes it, and layers that no other needs, when it has no other name.
   * `gone`: the name is not there, or is another image's; `used`: a container of the engine needs it.
   * @throws DevloopError engine/*; AbortError
   */
  removeFromEngine(image: MadeImage, signal: AbortSignal): Promise<'removed' | 'gone' | 'used'>
  /**
   * Delete an image from its registry. Other tags that are to go as well (`going`) need not be spared. `gone`: it is not there, or the name is another image's; `shared`: the registry can delete it only
   * together with a tag that is not devloop's; `refused`: it lets nobody delete.
   * @throws DevloopError registry/*; AbortError
   */
  removeFromRegistry(
    image: MadeImage,
    going: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<'removed' | 'gone' | 'shared' | 'refused'>
  /** The engine's build cache; empty where it has none. @throws DevloopError engine/*; AbortError */
  cache(signal: AbortSignal): Promise<readonly CacheEntry[]>
  /** Delete entries, but for what others are made from. Returns the bytes that it freed. @throws DevloopError engine/*; AbortError */
  removeCache(ids: readonly string[], signal: AbortSignal): Promise<number>
}
