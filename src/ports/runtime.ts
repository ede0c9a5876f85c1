// Where apps run. Everything above this line is the same for Kubernetes and for processes on this machine.
import type { Duplex } from 'node:stream'
import type { ErrorInfo } from '../errors/devloop-error.js'
import type { BuildRecord } from '../model/build-record.js'
import type { Link, LinkOutcome } from '../model/link.js'
import type { MissingRight } from '../model/missing-right.js'
import type { MadeImage } from '../model/made-image.js'
import type { ConfigRead, ConfigValues } from '../model/config-values.js'
import type {
  Addressed,
  AppSpec,
  AttachSpec,
  ClusterSettings,
  ConfigSpec,
  CustomSpec,
  ManifestsSpec,
  ReleaseSpec,
  SealedTexts,
} from '../model/plan.js'
import type { ImageBuilder, Registry } from './image-builder.js'
import type { SyncTransport, TargetRef } from './sync-transport.js'

/** A resource that is deployed to a runtime, or found there (`attach`). */
export type DeployableSpec = AppSpec | ConfigSpec | ManifestsSpec | ReleaseSpec | CustomSpec | AttachSpec

/** What the connected runtime is. */
export interface RuntimeInfo {
  readonly kind: 'kubernetes' | 'process'
  /** Kubeconfig context; undefined for processes. */
  readonly context?: string
  /** API server address. */
  readonly server?: string
  readonly namespace?: string
  readonly registry?: Registry
  /** `os/arch` of the nodes, when they agree. */
  readonly platform?: string
  /** Version of the cluster, such as `v1.34.1`; undefined where it does not say. */
  readonly version?: string
}

export interface DeployRequest {
  readonly resource: DeployableSpec
  /** Record of each built image that the resource uses, by image name. */
  readonly images: Readonly<Record<string, BuildRecord>>
  /** Names of the images with a `restart` rule: their main process must be replaceable in place. */
  readonly restartable: ReadonlySet<string>
  /** Names of the images that rules sync into; undefined = none. */
  readonly synced?: ReadonlySet<string>
  /** Whether the containers of those may get the agent; undefined = no. */
  readonly agent?: boolean
  /** Every app of the plan, for the addresses in texts. */
  readonly apps: Readonly<Record<string, Addressed>>
  /** The secret texts that the plan refers to; undefined = it refers to none. */
  readonly sealed?: SealedTexts
  /** What was read of the sources of a config; with one only. */
  readonly read?: ConfigRead
  /** Gets the lines that a custom deploy's commands print for people. */
  readonly onOutput?: (line: string) => void
}

/** A resource whose rights are asked about. */
export type RightsSubject = Pick<DeployRequest, 'resource'> & {
  /** Names of the images that rules sync into. */
  readonly synced: ReadonlySet<string>
  /** Whether it is tried from inside its pods if they reach what they use. */
  readonly linked: boolean
}

/** What a deploy left behind. */
export interface Deployed {
  /** Name of what was applied, for people, such as `deployment/api`. */
  readonly objects: readonly string[]
  /**
   * Ids of the pod templates as of this deploy, one for each workload: a pod that carries one of them is current, any other is of an
   * earlier deploy. An unchanged workload keeps its id. A template need not have a pod (a CronJob, no replicas). Empty = no workloads.
   */
  readonly templates: readonly string[]
  /** Of a config: tells its values from others, and nothing more of them. Means nothing to another runtime. */
  readonly digest?: string
  /** Things worth telling that did not stop it, such as a container without a shell for its restart rule. */
  readonly warnings: readonly ErrorInfo[]
}

/** All that is known of one resource's workloads, whole each time (level, not edge). */
export interface Observed {
  readonly resource: string
  readonly pods: readonly ObservedPod[]
  /** Whether the workloads say that the newest template is rolled out completely. Resources without workloads: true. */
  readonly rolledOut: boolean
  /** A workload has no pods because somebody else set its replicas to 0: who and which, in words. Absent = none. */
  readonly asleep?: string
  /** Why it is not rolled out, in words; or the newest problem. */
  readonly message?: string
  readonly error?: ErrorInfo
  /** How it is reached from outside of the cluster; undefined = it is not, or there is no address yet. */
  readonly exposed?: ExposedAddress
  /** It must be deployed once more, and the runtime will do it in another way; which one, in words. It stays so for the runtime's life. */
  readonly redeploy?: string
}

/** An address that a cluster gives to an app. */
export interface ExposedAddress {
  readonly kind: 'route' | 'ingress'
  readonly url: string
  /** `waiting`: nothing has taken it up yet. */
  readonly state: 'listening' | 'waiting' | 'failed'
  readonly error?: ErrorInfo
}

/** Something that the runtime warns of, of an object that belongs to a resource. */
export interface ObservedEvent {
  readonly resource: string
  /** In plain words, such as `Pod web-1 cannot mount a volume: ...` */
  readonly text: string
  /** Milliseconds since 1970. */
  readonly at: number
}

export interface ObservedPod {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  /**
   * Id of the pod template that it was made from, as the pod carries it; undefined = none. Compare with Deployed.templates, which
   * holds one id for each workload of the resource: "newest" is per workload, never one id for the whole resource.
   */
  readonly template: string | undefined
  readonly phase: 'pending' | 'running' | 'succeeded' | 'failed' | 'terminating'
  /** Kubernetes' Ready condition; accepts connections, for a process. */
  readonly ready: boolean
  /** It is one try of a Job: whether its end counts is for the Job to say. */
  readonly job?: true
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly containers: readonly ObservedContainer[]
}

export interface ObservedContainer {
  readonly name: string
  /** `init` runs to its end before the others, `sidecar` is an init container that stays; undefined = one of the pod's own. */
  readonly kind?: 'init' | 'sidecar'
  /** Empty while there is none. */
  readonly containerId: string
  /** Name of the built image it runs (ImageSpec.name), when it runs one and live sync can reach it: never of an init container. */
  readonly image: string | undefined
  /** The reference that it was started from, as written in the pod: BuildRecord.ref of its image, unless that is of an attached workload. */
  readonly ref: string
  readonly running: boolean
  /** Whether its main process can be replaced in place. */
  readonly restartable: boolean
  readonly restarts: number
  /** Milliseconds since 1970. */
  readonly startedAt?: number
  /** Exit code, when it has ended. */
  readonly exitCode?: number
  /** Id of the container that ran in this one's place and ended; its output can still be had. */
  readonly previous?: string
  readonly error?: ErrorInfo
}

/** A line of output of a container or process. */
export interface LogLine {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly text: string
  /** Opaque: as LogRequest.after it leaves out this line and all before it. Undefined = the runtime has no such places. */
  readonly place?: string
}

export interface LogRequest {
  readonly target: TargetRef
  /** Earlier lines are left out. Milliseconds since 1970. */
  readonly since: number
  /** Go on behind a line that was given, of this container or of the one that ran in its place before. */
  readonly after?: string
  /** The container has ended, and another has taken its place in the pod. */
  readonly previous?: boolean
}

export interface RemoveOptions {
  /** Wait until all of it is gone, pods included: what stands on something else is then gone before that. At most a minute an object. */
  readonly wait?: boolean
  /** Told of each object that stays in the cluster. */
  readonly onKept?: (kept: KeptObject) => void
}

/** Something that devloop applied or made, and does not delete. */
export interface KeptObject {
  /** For people, such as `persistentvolumeclaim/data`. */
  readonly object: string
  /** Such as `it holds data`. */
  readonly why: string
}

export interface SharedThings {
  /** The values of `generated`. */
  readonly generated: boolean
  /** Namespaces that were not there before, with all that is in them. */
  readonly namespaces: boolean
  /** Namespaces of the user, of whatever project, that were not used for the time that they were given; then nothing else. Default: none. */
  readonly expired?: boolean
}

export interface Runtime {
  readonly info: RuntimeInfo
  readonly builder: ImageBuilder
  readonly sync: SyncTransport
  /**
   * Apply a resource. Never cut in the middle: an abort before the first write rejects with AbortError, later ones are ignored.
   * @throws DevloopError cluster/*, app/*, release/*, custom/*, tool/*
   */
  deploy(request: DeployRequest, signal: AbortSignal): Promise<Deployed>
  /** The values of a config, as of its last deploy through this runtime; undefined = there was none. */
  config(name: string): ConfigValues | undefined
  /**
   * Delete what deploys of this project and instance left behind for a resource. Nothing there is no error.
   * @returns names of what was deleted, for people, such as `deployment/api`
   */
  remove(resource: string, signal: AbortSignal, options?: RemoveOptions): Promise<readonly string[]>
  /**
   * Delete what this project and instance made that belongs to no single resource, after all resources: the generated values, and
   * namespaces that were made for it. @returns as `remove`
   */
  removeShared(what: SharedThings, signal: AbortSignal, options?: RemoveOptions): Promise<readonly string[]>
  /**
   * The rights that these resources need and the user does not have; undefined where there are no rights to speak of (processes).
   * @param patienceMs milliseconds for which those that may come late are waited for; default 0
   * @throws DevloopError cluster/*; AbortError
   */
  missingRights?(subjects: readonly RightsSubject[], signal: AbortSignal, patienceMs?: number): Promise<readonly MissingRight[]>
  /** Names of resources of which this project and instance left something behind, of this run or an earlier one. */
  deployed(signal: AbortSignal): Promise<readonly string[]>
  /**
   * References of the images that containers may be started of: those of pods and of what makes pods, whoever made them. Of all
   * namespaces (`isWhole`), else (where that may not be read) of the given ones.
   * @throws DevloopError cluster/*
   */
  references(
    namespaces: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<{ readonly images: ReadonlySet<string>; readonly isWhole: boolean }>
  /**
   * Tell about workloads from now on, first soon after the start and then at each change. `onLost` says that what was told may be
   * stale (null: it is current again). `onEvent` tells each warning once; what was warned of before the start is left out.
   */
  observe(
    onObserved: (observed: Observed) => void,
    onLost: (error: ErrorInfo | null) => void,
    onEvent?: (event: ObservedEvent) => void,
  ): void
  /** Throw a pod away so that its controller makes a new one at once. @throws DevloopError cluster/* when it has no controller */
  replacePod(pod: { namespace: string; name: string }, signal: AbortSignal): Promise<void>
  /** Output of a container until it ends or the signal aborts; reconnects by itself, each line once. */
  logs(request: LogRequest, onLine: (line: LogLine) => void, signal: AbortSignal): Promise<void>
  /**
   * Connect to a port of a pod. `port` is a container port number. Rejects, or destroys the stream later, with forward/refused when
   * nothing listens there (yet): then nothing that was written has reached anybody.
   * @throws DevloopError forward/refused, forward/failed
   */
  dial(pod: { namespace: string; name: string }, port: number, signal: AbortSignal): Promise<Duplex>
  /**
   * Try a link from inside a container of the app that declares it, with what the container has. Never rejects but with an AbortError:
   * what cannot be tried is unknown.
   */
  reach(from: TargetRef, link: Link, signal: AbortSignal): Promise<LinkOutcome>
  /** Folder and environment that a command of the user's own gets beside a pod; undefined where it runs in the container itself. */
  workplace(pod: string): { readonly cwd: string; readonly env: Readonly<Record<string, string>> } | undefined
  /** Let go of everything; in the process runtime the apps end. */
  close(): Promise<void>
}

/** What a runtime is opened with. */
export interface RuntimeOptions {
  readonly project: string
  /** Names this working copy and user; see design: two instances never touch each other's objects. DNS-label-safe. */
  readonly instance: string
  readonly cluster: ClusterSettings
  /** Folder for what must outlive the process. */
  readonly stateDir: string
  /** Kubeconfig context to use instead of the current one. */
  readonly context?: string
  /** Namespace to use instead of the Devloopfile's. */
  readonly namespace?: string
  /** Whether the developer's namespace is made where there is none, and brought to what `cluster.sandbox` says. Default: false. */
  readonly makesNamespace?: boolean
  /** Told each secret value that the runtime makes or hands on, by its name, before anything can tell of it. */
  readonly onSecrets?: (secrets: Readonly<Record<string, string>>) => void
  /** Told of each image that the runtime makes for itself, before it gets its name; waited for. */
  readonly onMade?: (image: MadeImage) => Promise<void>
}

/** Opens a runtime. @throws DevloopError cluster/* (also the guard's refusal), engine/* */
export type OpenRuntime = (options: RuntimeOptions, signal: AbortSignal) => Promise<Runtime>
