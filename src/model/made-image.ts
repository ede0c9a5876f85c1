// What builds leave behind in engines and registries, as it is written down so that it can be removed again.

/** An image that this instance made. Written down before the image gets its name, so that none is ever lost sight of. */
export interface MadeImage {
  /** ImageSpec.name. */
  readonly image: string
  /** Id in the engine, `sha256:...`. */
  readonly id: string
  /** Name in the engine; where it was pushed, also that in the registry, such as `localhost:5000/shop/api`. */
  readonly repository: string
  readonly tag: string
  /**
   * `command`: the tag is the name that a build command was given, which is the same for each of its runs, and leads to what the last
   * run made. Else it is made of the id, so that no other image has it.
   */
  readonly name?: 'command'
  /** Whether it was, or was going to be, pushed. */
  readonly pushed: boolean
  /** Address of the engine. */
  readonly engine: string
  /** Address of the API server of the cluster that it was built for. */
  readonly cluster: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** A build that ran, whatever came of it: the engine's cache grew while it did. */
export interface RanBuild {
  /** ImageSpec.name. */
  readonly image: string
  readonly engine: string
  /** Milliseconds since 1970, by this machine's clock. */
  readonly from: number
  readonly to: number
}

/** `repository:tag`. */
export const madeName = ({ repository, tag }: Pick<MadeImage, 'repository' | 'tag'>): string => `${repository}:${tag}`
