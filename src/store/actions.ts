// Everything that can happen to the state.
import type { ErrorInfo } from '../errors/devloop-error.js'
import type { Choices, Plan } from '../model/plan.js'
import type {
  BuildState,
  BuildStepState,
  ChangeImage,
  LinkState,
  LocalState,
  ObservedState,
  RecordState,
  DriftState,
  TargetState,
  ForwardState,
} from '../model/state.js'

/** `at` is the time in milliseconds since 1970; reducers look at no clock. */
export type Action = { readonly at: number } &
  // session and runtime
  (
    | { readonly type: 'session/phase'; readonly phase: 'running' | 'stopping' }
    | { readonly type: 'runtime/connecting'; readonly error?: ErrorInfo }
    | {
        readonly type: 'runtime/connected'
        readonly context?: string
        readonly namespace?: string
        readonly platform?: string
        readonly version?: string
        readonly deployed: readonly string[]
      }
    | { readonly type: 'runtime/lost'; readonly error: ErrorInfo | null }
    | { readonly type: 'problem'; readonly subject: string; readonly error: ErrorInfo | null }
    | { readonly type: 'warning'; readonly subject: string; readonly error: ErrorInfo | null }
    // Devloopfile
    | { readonly type: 'devloopfile/changed' }
    | { readonly type: 'devloopfile/loading' }
    | { readonly type: 'devloopfile/loaded'; readonly wanted: number; readonly plan: Plan; readonly loadMs: number }
    | { readonly type: 'devloopfile/failed'; readonly wanted: number; readonly error: ErrorInfo }
    // images
    | {
        readonly type: 'image/sources'
        readonly image: string
        readonly files: number
        readonly inputs: string
        readonly needsRebuild: boolean
        /** Names of what it is directly built on; those that the plan has no image for come from elsewhere. */
        readonly bases?: readonly string[]
        readonly drift: DriftState
        /** As in SourcesState. */
        readonly held?: readonly string[]
        readonly error?: ErrorInfo
      }
    | { readonly type: 'image/record'; readonly image: string; readonly record: RecordState | null; readonly drift: DriftState }
    | { readonly type: 'image/checked'; readonly image: string; readonly exists: boolean }
    | { readonly type: 'image/sync-blocked'; readonly image: string; readonly error: ErrorInfo; readonly drift: DriftState }
    | { readonly type: 'build/started'; readonly image: string; readonly reason: string }
    | {
        readonly type: 'build/progress'
        readonly image: string
        readonly stage?: 'context' | 'build' | 'push'
        readonly steps?: readonly BuildStepState[]
        readonly context?: NonNullable<BuildState['context']>
      }
    | { readonly type: 'build/finished'; readonly image: string; readonly record: RecordState; readonly drift: DriftState }
    | { readonly type: 'build/failed'; readonly image: string; readonly error: ErrorInfo; readonly retryAt?: number }
    | { readonly type: 'build/cancelled'; readonly image: string }
    // resources
    | { readonly type: 'deploy/started'; readonly resource: string; readonly key: string }
    | {
        readonly type: 'deploy/finished'
        readonly resource: string
        readonly runtime: number
        readonly templates: readonly string[]
        readonly digest?: string
        readonly warnings: readonly ErrorInfo[]
      }
    | { readonly type: 'deploy/failed'; readonly resource: string; readonly error: ErrorInfo; readonly retryAt?: number }
    | { readonly type: 'resource/sources'; readonly resource: string; readonly hash: string; readonly error?: ErrorInfo }
    | { readonly type: 'render/started'; readonly resource: string; readonly key: string }
    | {
        readonly type: 'render/finished'
        readonly resource: string
        readonly key: string
        readonly output: string
        readonly configs?: readonly string[]
      }
    | {
        readonly type: 'render/failed'
        readonly resource: string
        readonly key: string
        readonly error: ErrorInfo
        readonly retryAt?: number
      }
    | { readonly type: 'render/cancelled'; readonly resource: string; readonly key: string }
    | { readonly type: 'removal/started'; readonly resource: string }
    | { readonly type: 'removal/finished'; readonly resource: string }
    | { readonly type: 'removal/failed'; readonly resource: string; readonly error: ErrorInfo; readonly retryAt?: number }
    | { readonly type: 'resource/observed'; readonly resource: string; readonly observed: ObservedState }
    /** Its watched files have been read. */
    | { readonly type: 'local/read'; readonly resource: string }
    | { readonly type: 'local/changed'; readonly resource: string }
    | { readonly type: 'local/running'; readonly resource: string }
    | { readonly type: 'local/ran'; readonly resource: string; readonly wanted: number; readonly error?: ErrorInfo }
    | {
        readonly type: 'local/serve'
        readonly resource: string
        readonly serve: LocalState['serve']
        readonly error?: ErrorInfo
        readonly retryAt?: number
      }
    // targets
    | { readonly type: 'target/patch'; readonly target: string; readonly patch: TargetPatch }
    | { readonly type: 'forward/set'; readonly forward: ForwardState }
    | { readonly type: 'forward/removed'; readonly local: number }
    /** What came of trying all links of a resource; empty = it has none any more. */
    | { readonly type: 'links/tried'; readonly consumer: string; readonly links: readonly LinkState[] }
    // changes
    | {
        readonly type: 'change/seen'
        readonly id: string
        /** First event, milliseconds since 1970. */
        readonly first: number
        /** When no more was waited for, milliseconds since 1970. */
        readonly gathered: number
        readonly paths: readonly string[]
        readonly pathCount: number
        readonly images: readonly ChangeImage[]
        readonly resources: readonly string[]
        /** Pods that its paths came back from. */
        readonly cameFrom?: readonly string[]
      }
    | {
        readonly type: 'change/stage'
        readonly image: string
        readonly revision: number
        readonly stage: string
        readonly detail?: string
      }
    // requests
    | { readonly type: 'request/trigger'; readonly resource: string }
    /** What is held of a resource's images is meant to be empty. */
    | { readonly type: 'request/confirm-empty'; readonly resource: string }
    | { readonly type: 'request/restart'; readonly resource: string }
    | { readonly type: 'request/enable'; readonly names: readonly string[] }
    | { readonly type: 'request/disable'; readonly names: readonly string[] }
    | { readonly type: 'request/args'; readonly args: readonly string[]; readonly choices?: Choices }
  )

/** New values of a target's fields; undefined removes one. */
export type TargetPatch = { readonly [K in keyof Omit<TargetState, 'id'>]?: TargetState[K] | undefined }
