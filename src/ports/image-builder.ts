// Building an image, and putting it where pods can pull it.
import type { Duplex } from 'node:stream'
import type { RegistryNames } from '../model/image-names.js'
import type { EngineSettings, ImageSpec } from '../model/plan.js'
import type { BuildRecord, ImageConfig } from '../model/build-record.js'
import type { MadeImage, RanBuild } from '../model/made-image.js'
import type { ProgramImage } from '../model/program-image.js'
import type { ImagePruner } from './image-pruner.js'
import type { Tree } from '../model/tree.js'

/** Where images are pushed, and the name by which nodes pull the same repository. */
export interface Registry extends RegistryNames {
  /** Page that explains the registry, from its announcement. */
  readonly help?: string
}

export interface BuildRequest {
  readonly image: ImageSpec
  /** The context as it was scanned; exactly these files are sent, plus those that only the Dockerfile needs. */
  readonly tree: Tree
  /** Looks for folders of the context in which nothing is, relative, with `/`. Absent = there are none. @throws DevloopError sync/source */
  readonly emptyFolders?: (signal: AbortSignal) => Promise<readonly string[]>
  /** Hash over everything that goes into the image; ends up in the record. */
  readonly inputs: string
  /** The images of the plan that it may be built on: by name, the reference that the engine has each by. Absent = none. */
  readonly bases?: Readonly<Record<string, string>>
  /** Undefined = the image stays in the engine. */
  readonly registry: Registry | undefined
  /** `os/arch` of the nodes; undefined = the engine's own. */
  readonly platform: string | undefined
  /** Whose image it is; stands on it as a label. */
  readonly instance?: string
}

/** One step of a build, as progress. The latest message for an id replaces the earlier ones. */
export interface BuildStep {
  readonly id: string
  /** Such as `[2/4] RUN npm ci`. */
  readonly name: string
  readonly state: 'running' | 'done' | 'cached' | 'failed'
  /** Milliseconds since 1970. */
  readonly startedAt?: number
  readonly finishedAt?: number
  /** The last lines that it wrote, at most 5. */
  readonly tail?: readonly string[]
}

/** How much of a context had to go to the engine. */
export interface SentContext {
  /** Files of the context. */
  readonly files: number
  /** Those of them whose content was sent. */
  readonly sentFiles: number
  readonly sentBytes: number
}

export interface BuildProgress {
  /** A step began, ended or failed. */
  step(step: BuildStep): void
  /** Output of a step, whole lines without the line end. */
  log(line: string): void
  /** The stage the whole is in. */
  stage(stage: 'context' | 'build' | 'push'): void
  /** So much of the context has gone to the engine by now. */
  sent(context: SentContext): void
  /** The engine built, to whatever end, and its cache may have grown. Waited for. */
  ran?(build: Omit<RanBuild, 'image'>): Promise<void>
  /** The image is made, and gets its name once this resolves. */
  made?(image: Omit<MadeImage, 'image' | 'cluster' | 'at'>): Promise<void>
}

export type ProvideProgress = Pick<BuildProgress, 'made' | 'log'>

export type BuiltImage = Pick<BuildRecord, 'digest' | 'ref' | 'engineRef'> & { readonly config: ImageConfig }

export interface ImageBuilder {
  /** Removes what it made; undefined where nothing is left behind. */
  readonly pruner?: ImagePruner
  /**
   * Build and push. Aborting the signal stops the engine's work and rejects with an AbortError.
   * @throws DevloopError engine/*, build/* (with the Dockerfile line in `where`), registry/*
   */
  build(request: BuildRequest, progress: BuildProgress, signal: AbortSignal): Promise<BuiltImage>
  /**
   * Put an image that was made without the engine where pods can pull it. What is there already is not sent again.
   * @returns the reference that pods use
   * @throws DevloopError engine/*, build/load, registry/*; AbortError
   */
  provide?(image: ProgramImage, registry: Registry | undefined, told: ProvideProgress, signal: AbortSignal): Promise<string>
  /** Whether what a record names can still be pulled (or run). `false` only when that is certain. */
  exists(record: BuildRecord, registry: Registry | undefined, signal: AbortSignal): Promise<boolean>
}

/** Which engine to build with, where it is not left to the environment. */
export interface EngineWish {
  /** From the Devloopfile. */
  readonly settings?: EngineSettings
  /**
   * Gives a login for a registry's host where this machine has none; undefined = nor has it.
   * @throws DevloopError registry/auth
   */
  readonly login?: (host: string) => Promise<PullLogin | undefined>
  /** For an engine in the cluster. */
  readonly dial?: {
    /** For people, such as `deployment/engine in dev`. */
    readonly address: string
    /** A new connection to it. @throws DevloopError cluster/*, engine/unreachable */
    open(signal: AbortSignal): Promise<Duplex>
  }
}

/** What an engine says of itself. */
export interface EngineIdentity {
  /** Name of its machine, which is also the name of the node that it is. */
  readonly name: string
  /** Such as `Docker Desktop`. */
  readonly system: string
}

/** A builder over an engine that keeps images. */
export interface EngineBuilder extends ImageBuilder {
  provide: NonNullable<ImageBuilder['provide']>
  /** @throws DevloopError engine/* */
  identity(signal: AbortSignal): Promise<EngineIdentity>
  /** Write an image into a file, as `docker save` does. @throws DevloopError engine/* */
  save(reference: string, file: string, signal: AbortSignal): Promise<void>
  /**
   * The login that this machine has for a registry, as nodes can use it; undefined = none.
   * @param repository with its host
   * @throws DevloopError registry/pull-secret for a login that only engines can use; registry/auth for a helper that fails
   */
  pullLogin(repository: string, signal: AbortSignal): Promise<PullLogin | undefined>
}

/** Secret: it never reaches logs, state or clients. */
export interface PullLogin {
  /** Host of the registry, as nodes look it up. */
  readonly host: string
  readonly username: string
  readonly password: string
}
