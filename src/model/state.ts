// The state of the daemon: JSON only. What is large (trees, overlays, manifests, logs) stays outside, see store/large.ts.
import type { ErrorInfo } from '../errors/devloop-error.js'
import type { Latencies } from './latency.js'
import type { LinkOutcome } from './link.js'
import type { Choices, Plan } from './plan.js'

export interface State {
  readonly session: SessionState
  readonly runtime: RuntimeState
  readonly devloopfile: DevloopfileState
  /** The plan in force: the last good one. */
  readonly plan: Plan | null
  /** By image name; those of the plan. */
  readonly images: Readonly<Record<string, ImageState>>
  /** By resource name; those of the plan. */
  readonly resources: Readonly<Record<string, ResourceState>>
  /** Resources that were deployed and are not in the plan any more, until they are deleted. */
  readonly removals: Readonly<Record<string, RemovalState>>
  /** By container id: the containers that run a built image. */
  readonly targets: Readonly<Record<string, TargetState>>
  /** By local port. */
  readonly forwards: Readonly<Record<string, ForwardState>>
  /** By resource name: what came of trying its links to others. */
  readonly links: Readonly<Record<string, readonly LinkState[]>>
  /** The newest changes by id, oldest first. */
  readonly changes: Readonly<Record<string, ChangeState>>
  /** How long the changes of one day took until they were live. */
  readonly today: DayState
  /** By resource name: what was enabled (true) or disabled (false) by request. Kept over reloads, also for those that leave the plan. */
  readonly switches: Readonly<Record<string, boolean>>
  /** Problems of no single resource, by what has them, such as `watch`. */
  readonly problems: Readonly<Record<string, ErrorInfo>>
  /** What belongs to no single resource, is worth telling and stops nothing, by what has it, such as `rights`. */
  readonly warnings: Readonly<Record<string, ErrorInfo>>
}

export interface SessionState {
  readonly instance: string
  readonly version: string
  readonly pid: number
  readonly startedAt: number
  readonly runtime: 'kubernetes' | 'process'
  readonly phase: 'starting' | 'running' | 'stopping'
  /** What the Devloopfile gets as `args`. */
  readonly args: readonly string[]
  /** Which way is wanted of resources that can be made in two; undefined = what the Devloopfile prefers. */
  readonly choices?: Choices
  /** Resources, as names or `label:NAME`, that `devloop watch` or `devloop ci` was asked for; empty = all. */
  readonly only: readonly string[]
  /** What becomes of those that `only` leaves out, in the cluster: `devloop watch` deletes them, `devloop ci` leaves them alone. */
  readonly others: 'deleted' | 'left'
}

export interface RuntimeState {
  readonly status: 'connecting' | 'connected' | 'lost'
  /** Counts connections made; what was deployed through an earlier one says nothing. */
  readonly generation: number
  readonly context?: string
  readonly namespace?: string
  readonly platform?: string
  /** Of the cluster, such as `v1.34.1`. */
  readonly version?: string
  readonly error?: ErrorInfo
}

export interface DevloopfileState {
  readonly file: string
  readonly status: 'loading' | 'ok' | 'failed'
  /** Counts plans that came into force. */
  readonly generation: number
  /** Counts reasons to load: it is loaded again while `loaded` is behind. */
  readonly wanted: number
  readonly loaded: number
  readonly loadMs?: number
  readonly error?: ErrorInfo
}

export interface ImageState {
  readonly name: string
  /** Hash of what goes into the image beside the tree; null until known. */
  readonly inputs: string | null
  /** Null until scanned. */
  readonly sources: SourcesState | null
  /** What is built; null = nothing that can be used. */
  readonly record: RecordState | null
  /** Whether what was on disk as a record was looked for and found to exist (or not). */
  readonly recordChecked: boolean
  readonly drift: DriftState
  /** The images of the plan that it is built on; absent = none. Settled after each action. */
  readonly bases?: BasesState
  readonly build: BuildState | null
  /** Counts requests to build in any case, and how many of them were met. */
  readonly forced: number
  readonly forcedDone: number
  /** Live sync cannot work for this image, so that every difference needs a rebuild. */
  readonly syncBlocked: ErrorInfo | null
  /** Held folders of which somebody has said that they are meant to be empty, until that is taken over; absent = none. */
  readonly meantEmpty?: readonly string[]
}

/** What an image is built on. */
export interface BasesState {
  /** Names of the images, those that they are built on included, each once. */
  readonly names: readonly string[]
  /** Digests of the images that it is directly built on; null while one of them has to be built first. */
  readonly key: string | null
  /** Why there is no key. */
  readonly waiting?: string
  /** Revision of each one's sources. */
  readonly revisions: Readonly<Record<string, number>>
  /** Whether one of them has live rules with a `sync`. */
  readonly sync: boolean
}

export interface SourcesState {
  /** Counts contents of the tree. */
  readonly revision: number
  /** The revision at which a path that needs a rebuild last changed. */
  readonly rebuildRevision: number
  readonly files: number
  /** Names of what it is directly built on; those that the plan has no image for come from elsewhere. */
  readonly bases?: readonly string[]
  /** The image's declaration has changed since, and the scan for it is not done. */
  readonly stale: boolean
  /** Folders that are empty or gone, of which containers keep what they hold: relative to the context, '' = all of it; absent = none. */
  readonly held?: readonly string[]
  readonly error?: ErrorInfo
}

export interface RecordState {
  readonly digest: string
  readonly ref: string
  readonly inputs: string
  /** As in the build record. */
  readonly bases?: string
  readonly shell: boolean
  readonly builtAt: number
}

/** How the tree differs from the record. */
export interface DriftState {
  /** Paths that need a rebuild, and the first of them with the reason. */
  readonly rebuild: number
  readonly why?: string
  /** Container paths in the overlay. */
  readonly overlay: number
}

export interface BuildState {
  readonly status: 'running' | 'done' | 'failed' | 'cancelled'
  /** Tree revision that is built. */
  readonly revision: number
  readonly inputs: string
  /** Key of what it is built on; absent = on no image of the plan. */
  readonly bases?: string | null
  readonly forced: number
  readonly reason: string
  readonly startedAt: number
  readonly finishedAt?: number
  readonly stage: 'context' | 'build' | 'push'
  readonly steps: readonly BuildStepState[]
  /** How much of the context went to the engine; absent where none does. */
  readonly context?: { readonly files: number; readonly sentFiles: number; readonly sentBytes: number }
  readonly error?: ErrorInfo
  /** Tried again by itself then. Milliseconds since 1970. */
  readonly retryAt?: number
  readonly attempts: number
}

export interface BuildStepState {
  readonly id: string
  readonly name: string
  readonly state: 'running' | 'done' | 'cached' | 'failed'
  /** Milliseconds since 1970. */
  readonly startedAt?: number
  readonly ms?: number
  /** The last lines that it wrote, at most 5; of one that runs or failed. */
  readonly tail?: readonly string[]
}

export interface ResourceState {
  readonly name: string
  /** Hash of the spec and of what it refers to; changes when it must be deployed again. */
  readonly specKey: string
  readonly deploy: DeployState | null
  /** Key of the last successful deploy through the present connection; see deployKey. */
  readonly appliedKey: string | null
  /** As Deployed.digest, of the last deploy through the present connection; of a config only. */
  readonly digest?: string
  /** Template ids that are current. */
  readonly templates: readonly string[]
  readonly warnings: readonly ErrorInfo[]
  readonly observed: ObservedState | null
  /** What its own files hold, where it has some (see hasSources); null until they are read. */
  readonly sources: ResourceSourcesState | null
  /** What was made of them, where something is (see isPrepared); null until that was started. */
  readonly rendered: RenderedState | null
  readonly local: LocalState | null
  /** Whose word it is that it is disabled; null = it is enabled. */
  readonly disabled: DisabledBy | null
  /** Whether it may start: by itself, or because it was triggered or enabled. */
  readonly started: boolean
  /** With manual trigger: what waits for one; null = nothing. */
  readonly pending: PendingState | null
  /** Counts the deploys with something new, or the good runs of a local: what others come after. */
  readonly completed: number
  /** Key of the newest such deploy; kept over connections. */
  readonly completedKey?: string
  readonly forced: number
  readonly forcedDone: number
  /** Counts requests to replace its processes. */
  readonly restarts: number
  /** Whether it has been ready since it came into the plan. */
  readonly everReady: boolean
  /** When its readiness last turned. */
  readonly since: number
  readonly ready: boolean
}

export interface ResourceSourcesState {
  /** Of the content of all files. */
  readonly hash: string
  readonly error?: ErrorInfo
}

export interface RenderedState {
  readonly status: 'running' | 'done' | 'failed'
  /** What it is made from; see renderKey. */
  readonly key: string
  /** Tells what was made from anything else; with `done` only. The objects, or what a config's sources gave, are in store/large.ts. */
  readonly output?: string
  /** Names of the configs that the objects' workloads name; absent = none. */
  readonly configs?: readonly string[]
  readonly startedAt: number
  readonly finishedAt?: number
  readonly error?: ErrorInfo
  readonly retryAt?: number
  readonly attempts: number
}

/** `plan`: `enabled: false` in the Devloopfile. `watch`: not among what `devloop watch` was asked for. */
export type DisabledBy = 'request' | 'plan' | 'watch'

/** Changes that were seen and are not acted on before somebody triggers the resource. */
export interface PendingState {
  /** By image name: the first revision of its tree that waits. */
  readonly images: Readonly<Record<string, number>>
  /** At most 20. */
  readonly paths: readonly string[]
  readonly pathCount: number
  /** What else waits, in words, such as `codegen has run`. */
  readonly reasons: readonly string[]
}

export interface DeployState {
  readonly status: 'running' | 'done' | 'failed'
  readonly key: string
  readonly forced: number
  readonly startedAt: number
  readonly finishedAt?: number
  readonly error?: ErrorInfo
  readonly retryAt?: number
  readonly attempts: number
}

export interface ObservedState {
  readonly rolledOut: boolean
  /** As Observed.asleep. */
  readonly asleep?: string
  readonly message?: string
  readonly error?: ErrorInfo
  /** As Observed.exposed. */
  readonly exposed?: {
    readonly kind: 'route' | 'ingress'
    readonly url: string
    readonly state: 'listening' | 'waiting' | 'failed'
    readonly error?: ErrorInfo
  }
  /** As Observed.redeploy. */
  readonly redeploy?: string
  readonly pods: readonly PodState[]
}

export interface PodState {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  readonly template?: string
  readonly phase: 'pending' | 'running' | 'succeeded' | 'failed' | 'terminating'
  readonly ready: boolean
  /** It is one try of a Job. */
  readonly job?: true
  readonly createdAt: number
  readonly containers: readonly ContainerState[]
}

export interface ContainerState {
  readonly name: string
  /** `init` runs to its end before the others, `sidecar` is an init container that stays; undefined = one of the pod's own. */
  readonly kind?: 'init' | 'sidecar'
  readonly containerId: string
  readonly image?: string
  readonly ref: string
  readonly running: boolean
  readonly restartable: boolean
  readonly restarts: number
  readonly startedAt?: number
  /** Exit code, when it has ended. */
  readonly exitCode?: number
  /** Id of the container that ran in this one's place and ended. */
  readonly previous?: string
  readonly error?: ErrorInfo
}

export interface LocalState {
  /** Whether the files that it watches have been read: a change that comes later is noticed. It starts no sooner. */
  readonly read: boolean
  /** Counts reasons to run. */
  readonly wanted: number
  /** The reason that the last finished run was for. */
  readonly done: number
  readonly run: 'none' | 'running' | 'ok' | 'failed'
  /** `unready`: it runs, but was not ready in its time or is not any more. */
  readonly serve: 'none' | 'starting' | 'ready' | 'unready' | 'failed'
  readonly error?: ErrorInfo
  /** A `serve` that ended is started again then. Milliseconds since 1970. */
  readonly retryAt?: number
  readonly startedAt?: number
}

export interface RemovalState {
  readonly name: string
  readonly status: 'pending' | 'running' | 'failed'
  readonly error?: ErrorInfo
  readonly retryAt?: number
  readonly attempts: number
}

export interface TargetState {
  readonly id: string
  readonly resource: string
  readonly image: string
  readonly namespace: string
  readonly pod: string
  readonly container: string
  readonly restartable: boolean
  readonly status: 'connecting' | 'unknown' | 'syncing' | 'synced' | 'failed'
  /** Digest of the record and revision of the tree that the container was last brought to. */
  readonly acked: Acked | null
  /** The last that was acknowledged, also when it is unknown again since the stream was lost. */
  readonly reached?: Acked
  /** Revision at which it failed; not tried again before the next, or before `retryAt`. */
  readonly failedRevision?: number
  /** Revisions, at that failure, of the images that its image is built on. */
  readonly failedBases?: Readonly<Record<string, number>>
  readonly retryAt?: number
  readonly attempts: number
  /** Of the resource's requests to restart, how many were met. */
  readonly restartsDone: number
  /** So many paths are known to differ from what it must hold; absent = it is in sync, or nothing is known. */
  readonly differing?: number
  /** How often its process was replaced in place; absent = never. */
  readonly replaced?: number
  /** Its process was replaced, and the new one does not listen on the app's port yet. */
  readonly starting?: true
  readonly transport?: string
  /** What comes back from it; absent = no rule wants that. */
  readonly returns?: ReturnsState
  readonly error?: ErrorInfo
}

export interface ReturnsState {
  /** How its changes are found, for people; `not` with the error. */
  readonly how: string
  /** Paths that are left alone on both sides, in words. */
  readonly conflicts?: {
    readonly count: number
    /** At most 20, by container path. */
    readonly first: readonly { readonly path: string; readonly message: string }[]
  }
  readonly error?: ErrorInfo
}

/** What a target holds: of which record, and as of which revisions of its sources and of those of the images it is built on. */
export interface Acked {
  readonly digest: string
  readonly revision: number
  /** By image name; absent = its image is built on none. */
  readonly bases?: Readonly<Record<string, number>>
}

export interface ForwardState {
  /** As the plan says. */
  readonly local: number
  /** The port that is open instead, because `local` was taken. */
  readonly opened?: number
  readonly resource: string
  readonly name: string
  /** Container port that it leads to. */
  readonly port: number
  readonly status: 'opening' | 'listening' | 'failed'
  readonly error?: ErrorInfo
}

/** A link as it was last tried. */
export interface LinkState {
  readonly to: string
  /** `host:port` */
  readonly address: string
  readonly outcome: LinkOutcome
}

export interface DayState {
  /** The day by the clock of this machine, such as `Mon Nov 23 2026`; '' before the first change. */
  readonly day: string
  /** Changes that live sync brought. */
  readonly synced: Latencies
  /** Changes of which an image was built. */
  readonly rebuilt: Latencies
}

export interface ChangeState {
  readonly id: string
  /** First event, milliseconds since 1970. */
  readonly at: number
  /** At most 20. */
  readonly paths: readonly string[]
  readonly pathCount: number
  readonly images: readonly ChangeImage[]
  /** Locals that it starts, and others that it concerns. */
  readonly resources: readonly string[]
  /** Pods that its paths came back from; absent = it was made locally. */
  readonly cameFrom?: readonly string[]
  readonly stages: readonly ChangeStage[]
  readonly outcome: 'pending' | 'live' | 'failed' | 'superseded' | 'nothing'
  /** Whether it failed at some time, whatever became of it. */
  readonly failed?: true
  readonly liveMs?: number
}

export interface ChangeImage {
  readonly image: string
  readonly action: 'sync' | 'rebuild' | 'none'
  /** Which rule, for the first path. */
  readonly why: string
  /** Tree revision that holds the change. */
  readonly revision: number
}

export interface ChangeStage {
  readonly stage: string
  /** Since the first event. */
  readonly ms: number
  readonly detail?: string
}
