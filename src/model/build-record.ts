// What one built image holds. Kept on disk and written before apply, so that a restarted daemon knows.
import type { Tree } from './tree.js'

export interface BuildRecord {
  readonly image: string
  readonly runtime: 'kubernetes' | 'process'
  /** Names the content: `sha256:...` of the image, or the stage's id in the process runtime. */
  readonly digest: string
  /** The reference that pods use, by tag; the stage folder in the process runtime. */
  readonly ref: string
  /** The name that the engine has it by; undefined = by `ref`. */
  readonly engineRef?: string
  /** Which images of the plan it was built on, by name and digest; undefined = on none. See BasesState. */
  readonly bases?: string
  /** References of these, as the engine has them: while this image is in use, they are needed, though they may have been built again. */
  readonly baseRefs?: readonly string[]
  /** `os/arch` of the nodes that it was built for; undefined = not known. */
  readonly platform?: string
  /** Hash of everything the image was built from: the context after ignores, Dockerfile, arguments, target. */
  readonly inputs: string
  /** It was not built: somebody else's image. */
  readonly pulled?: true
  /** The context as it was built. */
  readonly tree: Tree
  /** Folders of it that were emptied since, and are meant to be: relative to the context, '' = all of it; undefined = none. */
  readonly emptied?: readonly string[]
  /** What the image runs: entrypoint and command as in its configuration. */
  readonly config: ImageConfig
  /** Milliseconds since 1970. */
  readonly builtAt: number
}

export interface ImageConfig {
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly workingDir: string
  /** As the image states it; '' = root. */
  readonly user: string
  /** Whether the image has /bin/sh. */
  readonly shell: boolean
  /** `os/arch` of what is in it; undefined = the record is of an earlier version that did not ask. */
  readonly platform?: string
}

/** `os/arch` of what an image holds; undefined = not known. */
export const platformOf = ({ config, platform }: Pick<BuildRecord, 'config' | 'platform'>): string | undefined =>
  config.platform ?? platform
