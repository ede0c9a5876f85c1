// What crosses the WebSocket, as types: one JSON message a frame. See docs/protocol.md.
import type { ErrorInfo } from '../errors/devloop-error.js'
import type { Hold } from '../model/hold.js'
import type { LogEntry } from '../model/log-entry.js'

/** Major.minor of the protocol. Within a major, fields and messages are only added; what is unknown is ignored. */
export const protocolVersion = { major: 1, minor: 0 } as const

export type Topic = 'state' | 'logs'

/** What a client may do: `read` sees everything and changes nothing. */
export type Access = 'control' | 'read'

// ---- client to daemon

export type ClientMessage =
  | HelloMessage
  | RequestMessage
  | CancelMessage
  | SelectStateMessage
  | SubscribeLogsMessage
  | PongMessage

/** The first message of a client. */
export interface HelloMessage {
  readonly type: 'hello'
  readonly protocol: { readonly major: number; readonly minor: number }
  /** For people: name and version of the client. */
  readonly client: string
  readonly topics: readonly Topic[]
  /** For topic `state`: which views are wanted; default all. */
  readonly state?: StateSelection
  /**
   * Go on after this point, when the daemon still can; else the welcome carries a snapshot. It belongs to the same state selection as
   * before. Without `seq` only the cursors of logs go on, and the welcome carries a snapshot.
   */
  readonly resume?: { readonly epoch: string; readonly seq?: number }
  /** For topic `logs`: what to send, as the selection with id 0; default all that comes. */
  readonly logs?: LogSelection
  /** Ask for no more than this, whatever the token allows. */
  readonly access?: 'read'
}

/** The view `session` belongs to each. What is left out selects all. */
export interface StateSelection {
  /** Only views of these kinds. */
  readonly kinds?: readonly View['kind'][]
  /** Only of these resources: their own views, those of their images and of what these are built on, and the changes that concern them. */
  readonly resources?: readonly string[]
}

/** Replaces the state selection; null = all. Answered by a `snapshot`. */
export interface SelectStateMessage {
  readonly type: 'state'
  readonly state: StateSelection | null
}

/** A line is selected when all fits that is there. */
export interface LogSelection {
  /** Undefined = of all resources. */
  readonly resources?: readonly string[]
  /** Go on after this cursor; undefined = see tail and since. In a `hello` it counts only within the epoch that `resume` names. */
  readonly after?: number
  /** How many of the newest kept lines to begin with; default 0, with `since` all. */
  readonly tail?: number
  /** Only lines of this time or later, milliseconds since 1970. */
  readonly since?: number
  /** Only lines of this level and those above it. */
  readonly level?: LogEntry['level']
  /** Only lines with this text in them, in whatever case; at most 1,000 characters. Colours of the line are passed over. */
  readonly text?: string
  /** Only lines of these sources, such as `build` or `api-6d5f`; `*` stands for any text. */
  readonly sources?: readonly string[]
  /** Only what these containers wrote, by name; `*` stands for any text, so `*` alone is every container. */
  readonly containers?: readonly string[]
}

/** Begins or replaces the log selection with this id; null ends it. At most 16 at once. */
export interface SubscribeLogsMessage {
  readonly type: 'logs'
  /** Comes back in every log message of this selection; default 0. */
  readonly id?: number
  readonly logs: LogSelection | null
}

/** Calls off the request with this id. Its reply is the error `request/cancelled`, unless it was done before or cannot be stopped. */
export interface CancelMessage {
  readonly type: 'cancel'
  readonly id: number | string
}

/** JSON-RPC 2.0 request. */
export interface RequestMessage {
  readonly jsonrpc: '2.0'
  readonly id: number | string
  readonly method: string
  readonly params?: unknown
  /** Whether `progress` messages are wanted before the reply. */
  readonly progress?: boolean
}

export interface PongMessage {
  readonly type: 'pong'
}

/** Requests: parameters and results by method. */
export interface Requests {
  /**
   * Do the whole for a resource again: rebuild its images, deploy; a local runs. Where changes are pending, they are let go instead:
   * synced if live rules cover all of them. `resource` is a name, or `label:NAME` for a group. With `confirmEmpty`, only this: folders
   * that are gone or were emptied, and of which containers keep the files (`sync/root-gone`), are meant to be; the files are deleted.
   * With `wait`, the reply comes when each of them is ready or has failed; calling it off ends the waiting, and not the work.
   */
  trigger: {
    params: { resource: string; confirmEmpty?: boolean; wait?: boolean }
    result: { accepted: true; resources: readonly string[]; outcomes?: readonly TriggerOutcome[] }
  }
  /**
   * Bring disabled resources back, and start those that do not start by themselves. Names, or `label:NAME`. `needs` are those that
   * were enabled or started along with them.
   */
  enable: {
    params: { resources: readonly string[] }
    result: { accepted: true; resources: readonly string[]; needs: readonly string[] }
  }
  /** Delete what was deployed of some resources, or end their processes, until they are enabled. `neededBy` are enabled and need them. */
  disable: {
    params: { resources: readonly string[] }
    result: { accepted: true; resources: readonly string[]; neededBy: readonly string[] }
  }
  /**
   * What the Devloopfile gets as `args`, and which way is taken of each of its resources that can be made in two. With `args`, these are
   * replaced, with `choices` those that it names; and it is loaded again.
   */
  args: {
    params: { args?: readonly string[]; choices?: Readonly<Record<string, 'local' | 'remote'>> }
    result: { args: readonly string[]; choices: Readonly<Record<string, 'local' | 'remote'>> }
  }
  /** Load the Devloopfile again. */
  reload: { params: Record<string, never>; result: { accepted: true } }
  /** Replace the main process of a resource's containers, or start a local's `serve` again. */
  restart: { params: { resource: string }; result: { accepted: true } }
  /**
   * End the daemon. With `down`, everything it deployed is deleted first; with `deleteGenerated` also the generated values, with
   * `deleteNamespace` also the namespaces that devloop made for the project. With `down` and `wait`, the reply comes when that is done.
   * Once begun it goes on, also when the client is gone.
   */
  shutdown: {
    params: { down?: boolean; deleteGenerated?: boolean; deleteNamespace?: boolean; wait?: boolean }
    /** `removed`: whether all was deleted that was meant; only with `down` and `wait`. */
    result: { accepted: true; removed?: boolean }
  }
  /** Which rules take a path, for each image and local that it belongs to. The path is absolute. */
  why: { params: { path: string }; result: WhyResult }
  /**
   * Compare what containers hold with what live sync says that they hold, path by path. `resource` is a name, or `label:NAME`;
   * default: all. Nothing is written.
   */
  verify: { params: { resource?: string }; result: VerifyResult }
  /** Where a command runs that is to run beside a resource: a running container, of the named one or the one that is meant. Unix socket only. */
  exec: { params: { resource: string; container?: string }; result: ExecPlace }
  /** Remove what builds left behind and is not needed any more. With `dryRun`, only tell what it would be. */
  prune: { params: { dryRun?: boolean }; result: PruneResult }
  /** What a bug report needs of the daemon. Values of Secrets and of variables are taken out. */
  dump: { params: Record<string, never>; result: DumpResult }
}

/** For people who mend devloop: what is in the parts is of one version of it, and may be another in the next. */
export interface DumpResult {
  readonly state: Readonly<Record<string, unknown>>
  /** Null = there is none yet. */
  readonly plan: Readonly<Record<string, unknown>> | null
  /** What is to be done next, and why everything else waits. */
  readonly work: Readonly<Record<string, unknown>>
  /** What happened lately, oldest first. */
  readonly actions: readonly Readonly<Record<string, unknown>>[]
  /** How the process is doing. */
  readonly process: Readonly<Record<string, unknown>>
}

/** What became of a resource that was triggered. */
export interface TriggerOutcome {
  readonly resource: string
  readonly ready: boolean
  /** Why not. */
  readonly error?: ErrorInfo
}

export interface PruneResult {
  readonly removed: readonly {
    /** Where it was: in the engine, in a registry, in the engine's build cache, in devloop's state folder. */
    readonly from: 'engine' | 'registry' | 'cache' | 'state'
    readonly name: string
    readonly bytes?: number
  }[]
  /** Images that devloop made and that stay. */
  readonly kept: number
  /** What could not be done, once for each reason. */
  readonly problems: readonly ErrorInfo[]
  /** Whether it was broken off for work that cannot wait; the rest is done later. */
  readonly interrupted: boolean
}

export interface VerifyResult {
  readonly targets: readonly VerifiedTarget[]
}

/** One container of one pod. */
export interface VerifiedTarget {
  readonly resource: string
  readonly pod: string
  readonly container: string
  readonly image: string
  /** Number of paths that were compared. */
  readonly checked: number
  /** The first 1,000 that are not as they should be; `found` and `wanted` in words, such as `file of 12 bytes, mode 644, sha256 1f3c...`. */
  readonly differences: readonly { readonly path: string; readonly wanted: string; readonly found: string }[]
  /** How many there are. */
  readonly differing: number
  /** How many paths the container could not tell: it has no sha256sum, or its user may not read them. */
  readonly unknown: number
  /** Whether saved changes wait for a trigger, and so count as differences. */
  readonly held: boolean
  /** Why nothing was compared. */
  readonly error?: ErrorInfo
}

/** Where `exec` runs a command. */
export type ExecPlace =
  | {
      readonly runtime: 'kubernetes'
      /** Kubeconfig context and API server of the daemon's connection. */
      readonly context: string
      readonly server: string
      /** Contexts that the Devloopfile allows. */
      readonly contexts: readonly string[]
      readonly namespace: string
      readonly pod: string
      readonly container: string
    }
  /** On this machine, as the app runs. The environment may hold secrets: it is told on the Unix socket alone. */
  | { readonly runtime: 'process'; readonly cwd: string; readonly env: Readonly<Record<string, string>> }

export interface WhyResult {
  readonly path: string
  readonly answers: readonly WhyAnswer[]
}

export interface WhyAnswer {
  /** Such as `image shop/api`, `local codegen`, `Devloopfile`. */
  readonly subject: string
  readonly action: 'sync' | 'rebuild' | 'ignore' | 'run' | 'reload'
  /** The rule in words, such as `sync('src', '/app/src')`; or why no rule was needed. */
  readonly rule: string
  /** file:line of the rule. */
  readonly at?: string
  /** What follows from it, in words: container paths, commands, restart; what carries files into the containers, and where that fails now. */
  readonly effects: readonly string[]
}

// ---- daemon to client

export type DaemonMessage =
  | WelcomeMessage
  | DeltaMessage
  | SnapshotMessage
  | LogMessage
  | ProgressMessage
  | ReplyMessage
  | ErrorMessage
  | PingMessage
  | GoodbyeMessage

export interface WelcomeMessage {
  readonly type: 'welcome'
  readonly protocol: { readonly major: number; readonly minor: number }
  /** Of devloop, such as `0.1.0`. */
  readonly version: string
  /** Of the running daemon process; a sequence number counts within one epoch. */
  readonly epoch: string
  readonly seq: number
  /** What this client may do. */
  readonly access: Access
  /** The requests that it may send. */
  readonly methods: readonly string[]
  /** Either the whole state as of `seq`, or (after a successful resume) only what changed since. */
  readonly snapshot?: readonly View[]
  readonly deltas?: Omit<DeltaMessage, 'type' | 'seq'>
}

/** The views that changed, whole; applied in any number at once. */
export interface DeltaMessage {
  readonly type: 'delta'
  readonly seq: number
  readonly upserts: readonly View[]
  readonly removes: readonly ViewKey[]
}

/** The whole state as of `seq` by a new state selection. It replaces what the client has. */
export interface SnapshotMessage {
  readonly type: 'snapshot'
  readonly seq: number
  readonly views: readonly View[]
}

/** At least one follows every new log selection, if need be with no lines. */
export interface LogMessage {
  readonly type: 'log'
  /** Of the selection. */
  readonly id: number
  readonly lines: readonly LogEntry[]
  /** Everything selected up to here has been sent or counted as dropped; resume with it. */
  readonly cursor: number
  /**
   * Lines that this client missed before these, because it read too slowly or they were no longer kept. What `level`, `text`,
   * `sources` and `containers` would have left out is counted, too: lines that are gone cannot be looked into.
   */
  readonly dropped: number
  /** Whether these were the newest lines that were kept; false = more follow at once. */
  readonly caughtUp: boolean
}

export type { CiLimits, CiReport, CiResource } from '../model/ci-report.js'
export type { LogEntry } from '../model/log-entry.js'

/** JSON-RPC 2.0 response. */
export type ReplyMessage =
  | { readonly jsonrpc: '2.0'; readonly id: number | string; readonly result: unknown }
  | {
      readonly jsonrpc: '2.0'
      readonly id: number | string | null
      readonly error: { readonly code: number; readonly message: string; readonly data?: ErrorInfo }
    }

/** How far a request has come that was sent with `progress`. Comes at any rate that is of use to people, and never after the reply. */
export interface ProgressMessage {
  readonly type: 'progress'
  /** Of the request. */
  readonly id: number | string
  /** For people, such as `api: building shop/api RUN npm ci`. */
  readonly message: string
  /** How much is done, of `total`; both or none. */
  readonly done?: number
  readonly total?: number
}

/** A message that was not understood, or why the connection is about to be closed. */
export interface ErrorMessage {
  readonly type: 'error'
  readonly error: ErrorInfo
}

/** Sent every 20 s to a client that has read all before; the client answers `pong`. */
export interface PingMessage {
  readonly type: 'ping'
  /** With the messages before this one the client has its state as of `seq`: it may resume from there, and is behind while it has not handled them. */
  readonly seq: number
}

export interface GoodbyeMessage {
  readonly type: 'goodbye'
  readonly reason: string
}

// ---- views: the state as clients see it

export interface ViewKey {
  readonly kind: View['kind']
  readonly name: string
}

/** Every view has `kind` and `name`, which together are its key. */
export type View = SessionView | ResourceView | ImageView | ChangeView

/** There is one, with name `session`. */
export interface SessionView {
  readonly kind: 'session'
  readonly name: 'session'
  readonly project: string
  readonly instance: string
  readonly version: string
  readonly pid: number
  readonly startedAt: number
  readonly phase: 'starting' | 'running' | 'stopping'
  /** What the Devloopfile gets as `args`. */
  readonly args: readonly string[]
  /** Resources that `devloop watch` was asked for, as names or `label:NAME`; empty = all. */
  readonly only: readonly string[]
  /** Which way is taken of each resource that can be made in two; absent = there is none. */
  readonly choices?: Readonly<Record<string, 'local' | 'remote'>>
  readonly runtime: {
    readonly kind: 'kubernetes' | 'process'
    readonly state: 'connecting' | 'connected' | 'lost'
    readonly context?: string
    readonly namespace?: string
    readonly error?: ErrorInfo
  }
  readonly devloopfile: {
    readonly file: string
    readonly state: 'loading' | 'ok' | 'failed'
    /** Counts the plans that came into force. */ readonly generation: number
    readonly loadMs?: number
    readonly error?: ErrorInfo
  }
  /** How long the changes of this day took from save to live, of those that live sync brought and of those that were built. */
  readonly today?: {
    readonly synced?: LatencyView
    readonly rebuilt?: LatencyView
  }
  /** Problems of no single resource. */
  readonly problems: readonly ErrorInfo[]
  /** What belongs to no single resource, is worth telling and stops nothing, such as rights that are missing. Absent = nothing. */
  readonly warnings?: readonly ErrorInfo[]
  /** Whether every resource is ready that is enabled and starts by itself, or was started. */
  readonly ready: boolean
}

export interface LatencyView {
  /** Number of changes. */
  readonly count: number
  /** Milliseconds, within 5 %. */
  readonly p50: number
  readonly p95: number
}

export type ResourceStatus =
  /** Waits; `hold` says why. */
  | 'pending'
  /** Building, deploying, running or syncing. */
  | 'updating'
  /** Deployed, and not yet ready. */
  | 'starting'
  | 'ready'
  | 'failed'
  /** Left the plan or was disabled, and is being deleted. */
  | 'removing'
  /** Switched off; nothing of it runs. */
  | 'disabled'

export interface ResourceView {
  readonly kind: 'resource'
  readonly name: string
  readonly type: 'app' | 'config' | 'manifests' | 'kustomize' | 'helm' | 'custom' | 'attach' | 'local'
  /** Place in the Devloopfile's list, from 0. */
  readonly order: number
  readonly status: ResourceStatus
  /** Ready: Kubernetes' Ready, overlay acknowledged, restart done. */
  readonly ready: boolean
  /** What is being done, such as `building shop/api [2/4] RUN npm ci`. */
  readonly activity?: string
  /** Why it is not being worked on now. */
  readonly hold?: HoldView
  readonly error?: ErrorInfo
  readonly warnings: readonly ErrorInfo[]
  readonly images: readonly string[]
  readonly needs: readonly string[]
  /** What it comes after: it is done again when one of these has changed. */
  readonly rebuildAfter: readonly string[]
  /** Groups that it belongs to. */
  readonly labels: readonly string[]
  /** Whether it starts by itself. */
  readonly auto: boolean
  /** Whether changes are acted on at once, or wait as `pending` for a trigger. */
  readonly trigger: 'auto' | 'manual'
  /** Whose word it is that it is disabled: a request's, the Devloopfile's (`enabled: false`), or that of `devloop watch RESOURCE...`. */
  readonly disabled?: 'request' | 'plan' | 'watch'
  /** What waits for a trigger. */
  readonly pending?: {
    /** At most 20, relative to the project root where they are below it. */
    readonly paths: readonly string[]
    readonly pathCount: number
    /** What else waits, such as `codegen has run`. */
    readonly reasons: readonly string[]
  }
  readonly endpoints: readonly EndpointView[]
  /** Its ways to the apps whose addresses it uses, each tried from inside its container; absent = it uses none. */
  readonly links?: readonly LinkView[]
  /** It is started under a debugger. */
  readonly debug?: DebugView
  readonly pods: readonly PodView[]
  /** Newest change that concerned it. */
  readonly lastChange?: {
    readonly id: string
    readonly at: number
    readonly outcome: ChangeView['outcome']
    /** From save to live. */ readonly liveMs?: number
  }
  /** When the status last changed. */
  readonly since: number
}

/** Why a resource is not being worked on now. */
export type HoldView = Hold

/** Where a debugger attaches, and to what. */
export interface DebugView {
  readonly language: 'node' | 'python' | 'go' | 'java'
  readonly host: string
  readonly port: number
  /**
   * Names the process that runs now: another value means that the process was replaced, by whatever, and that a debugger has to attach
   * again. Absent while none runs.
   */
  readonly process?: string
}

export interface EndpointView {
  /** Name or number of the port, such as `http`; `debug`; `route` or `ingress`, which lead there from outside of the cluster. */
  readonly name: string
  readonly url: string
  readonly state: 'listening' | 'waiting' | 'failed'
  readonly error?: ErrorInfo
}

/** A way from one app to another. */
export interface LinkView {
  /** Name of the resource that it leads to. */
  readonly to: string
  /** `host:port`, as the consumer sees it. */
  readonly address: string
  /** `unknown`: it was not tried yet, or cannot be. */
  readonly state: 'ok' | 'failed' | 'unknown'
  /** Why it is not `ok`. */
  readonly why?: string
}

export interface PodView {
  readonly name: string
  readonly phase: 'pending' | 'running' | 'succeeded' | 'failed' | 'terminating'
  readonly current: boolean
  readonly ready: boolean
  readonly restarts: number
  /** Init containers first, in their order. */
  readonly containers: readonly ContainerView[]
  readonly targets: readonly TargetView[]
}

export interface ContainerView {
  readonly name: string
  /** `init` runs to its end before the others, `sidecar` is an init container that stays. */
  readonly kind: 'main' | 'init' | 'sidecar'
  readonly state: 'waiting' | 'running' | 'ended'
  /** Of one that has ended. */
  readonly exitCode?: number
  readonly restarts: number
  readonly error?: ErrorInfo
}

export interface TargetView {
  readonly container: string
  readonly image: string
  readonly state: 'connecting' | 'unknown' | 'in-sync' | 'syncing' | 'behind' | 'failed'
  /** Paths that are known to differ from what is wanted; 0 where nothing is known. */
  readonly behind: number
  /** What is used to write into it, and why. */
  readonly transport?: string
  /** What comes back from it; absent = no rule wants that. */
  readonly returns?: ReturnsView
  readonly error?: ErrorInfo
}

/** What is synced both ways. */
export interface ReturnsView {
  /** How changes in the container are found, such as `watched` or `looked at every 2 s`; `not`, with an error. */
  readonly how: string
  /** Paths that are left as they are on both sides. */
  readonly conflicts?: {
    readonly count: number
    /** At most 20, by container path. */
    readonly first: readonly { readonly path: string; readonly message: string }[]
  }
  readonly error?: ErrorInfo
}

export interface ImageView {
  readonly kind: 'image'
  readonly name: string
  readonly state: 'unknown' | 'pending' | 'building' | 'built' | 'failed'
  readonly ref?: string
  readonly builtAt?: number
  /** Why it is, or was last, built. */
  readonly reason?: string
  readonly stage?: 'context' | 'build' | 'push'
  readonly steps: readonly {
    readonly name: string
    readonly state: 'running' | 'done' | 'cached' | 'failed'
    /** Milliseconds since 1970. */ readonly startedAt?: number
    readonly ms?: number
    /** The last lines that it wrote, at most 5; of one that runs or failed. */ readonly tail?: readonly string[]
  }[]
  /** How much of the context went to the engine in that build: its files, those of them that were sent, and their bytes. */
  readonly context?: { readonly files: number; readonly sentFiles: number; readonly sentBytes: number }
  /** Names of the images of the project that it is built on, those that they are built on included. */
  readonly bases?: readonly string[]
  /** Files of the context, and how many differ from the built image (and are synced). */
  readonly files: number
  readonly overlay: number
  readonly buildMs?: number
  readonly error?: ErrorInfo
}

/** A burst of saves, from the first event to live. The newest 50 are kept. */
export interface ChangeView {
  readonly kind: 'change'
  /** The change's id. */
  readonly name: string
  /** Time of the first event, milliseconds since 1970. */
  readonly at: number
  /** At most 20, relative to the project root where they are below it. */
  readonly paths: readonly string[]
  readonly pathCount: number
  readonly outcome: 'pending' | 'live' | 'failed' | 'superseded' | 'nothing'
  readonly images: readonly { readonly image: string; readonly action: 'sync' | 'rebuild' | 'none'; readonly why: string }[]
  readonly resources: readonly string[]
  /** Pods that its paths came back from; absent = it was made locally. */
  readonly cameFrom?: readonly string[]
  /** In order of time; `ms` since the first event. */
  readonly stages: readonly { readonly stage: string; readonly ms: number; readonly detail?: string }[]
  readonly liveMs?: number
}

/** The discovery file's content. */
export interface Discovery {
  readonly pid: number
  readonly project: string
  readonly devloopfile: string
  readonly startedAt: number
  readonly version: string
  readonly protocol: { readonly major: number; readonly minor: number }
  readonly epoch: string
  /** Path of the Unix socket. */
  readonly socket: string
  /** Loopback HTTP address, when TCP is on, such as `http://127.0.0.1:41000`. */
  readonly url?: string
  /** Required on TCP; allows everything. The file is readable by the user alone. */
  readonly token: string
  /** The same for clients that only read, such as a page that is shown to others. */
  readonly readToken: string
}

/** JSON-RPC error codes: the standard ones, and 1 for an operational error (see `data`). */
export const rpcErrors = {
  parse: -32700,
  invalidRequest: -32600,
  unknownMethod: -32601,
  invalidParams: -32602,
  internal: -32603,
  operational: 1,
} as const
