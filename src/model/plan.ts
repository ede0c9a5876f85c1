// The plan: what a Devloopfile evaluates to. Plain frozen data, complete (every default filled in) and validated.
import type { ErrorInfo, SourcePosition } from '../errors/devloop-error.js'
import type { SandboxSettings, TenantSettings } from './sandbox.js'

/** What one Devloopfile declares. All paths in it are absolute unless their comment says otherwise. */
export interface Plan {
  /** Project name, a DNS label. */
  readonly name: string
  /** The Devloopfile itself. */
  readonly file: string
  /** The folder of the Devloopfile. */
  readonly root: string
  readonly cluster: ClusterSettings
  readonly settings: Settings
  /** By image name. */
  readonly images: Readonly<Record<string, ImageSpec>>
  /** Which way is taken of each resource that can be made in two; undefined = of none. */
  readonly choices?: Choices
  /** By resource name; the order of the keys is the order in which the Devloopfile lists them. */
  readonly resources: Readonly<Record<string, ResourceSpec>>
}

/** From source, or as it is released. */
export type Choice = 'local' | 'remote'

/** By the name of an `either`. */
export type Choices = Readonly<Record<string, Choice>>

/** What an address leads to: a host and its ports by name. An app's host is its name. */
export type Addressed = Pick<AppSpec, 'name' | 'ports'>

/** What the addresses of a resource lead to; undefined = it has none. */
export function addressedOf(resource: ResourceSpec | undefined): Addressed | undefined {
  if (resource?.kind === 'app') return resource
  if (resource?.kind !== 'helm' || !resource.address) return undefined
  return { name: resource.address.host, ports: { main: resource.address.port } }
}

export interface ClusterSettings {
  /** Context names or globs that devloop may write to, beside the known local clusters. */
  readonly contexts: readonly string[]
  /**
   * Namespace of everything that names none; undefined = the kubeconfig context's own, else the developer's own where there is to be
   * one (`sandbox`, `tenant`), else `default`.
   */
  readonly namespace?: string
  /** Where images are pushed; undefined = what the cluster announces (KEP-1755), else what its product needs. */
  readonly registry?: RegistrySettings
  /** Secrets that pods with built images pull them with; undefined = none is added. */
  readonly pullSecret?: PullSecretSettings
  /** The engine to build with; undefined = as the docker command finds it. */
  readonly engine?: EngineSettings
  /** What a namespace is given that devloop makes; undefined = nothing beside itself. */
  readonly sandbox?: SandboxSettings
  /** The tenant that namespaces are made for; undefined = none. */
  readonly tenant?: TenantSettings
}

/** How devloop itself works. */
export interface Settings {
  readonly parallel: ParallelSettings
  /** What is kept of the images that devloop made; `false` = everything, for ever. */
  readonly prune: PruneSettings | false
  readonly ci: CiSettings
  /** Whether pods that run synced images get the agent. */
  readonly agent: boolean
}

/** How many of each may run at once; 1 at least. */
export interface ParallelSettings {
  readonly builds: number
  readonly deploys: number
  /** `run` commands of locals; what keeps running (`serve`) does not count. */
  readonly locals: number
}

export interface PruneSettings {
  /** So many of the newest builds of each image are kept, at most. */
  readonly keep: number
  /** Hours; builds older than this are not kept, but for the newest one of each image. */
  readonly maxAge: number
}

/** When `devloop ci` gives up. All in milliseconds. */
export interface CiSettings {
  /** For the whole run. */
  readonly timeoutMs: number
  /** For one resource, from its start until it is ready; Jobs take as long as they take. */
  readonly readinessTimeoutMs: number
  /** For how long a resource that crashes may come to itself; 0 = the first crash counts. */
  readonly graceMs: number
}

export interface RegistrySettings {
  /** `host[:port][/path]` that the engine pushes to, without `/` at the end. */
  readonly push: string
  /** The same place as the nodes name it; undefined = as announced, else the same as `push`. */
  readonly pull?: string
  /** One repository below `push` for all images; undefined = one each. */
  readonly singleName?: string
  /** Only used where the cluster announces no registry. */
  readonly fallback: boolean
}

/** `names`: Secrets that are there. `copy`: one that is made of the credentials that this machine pushes with. */
export type PullSecretSettings = { readonly names: readonly string[] } | { readonly copy: true }

/** A Docker engine by its address, by a Docker context, or in pods of the cluster. */
export type EngineSettings =
  /** As DOCKER_HOST takes it, such as `ssh://me@build`. */
  | { readonly address: string }
  | { readonly context: string }
  | {
      readonly inCluster: {
        /** `deployment/NAME`, `statefulset/NAME` or `service/NAME`. */
        readonly workload: string
        /** Undefined = that of the project. */
        readonly namespace?: string
        /** Port that the engine listens on in its pod, also on the pod's loopback alone. */
        readonly port: number
      }
    }

/** Something built from a context. */
export interface ImageSpec {
  /** Name without tag, such as `shop/api`; may begin with a registry's host, which is then part of what is rewritten. */
  readonly name: string
  /** Folder that is the build context. */
  readonly context: string
  /** An empty inline text where a command builds it. */
  readonly dockerfile: { readonly path: string } | { readonly inline: string }
  /** Build stage; undefined = the last. */
  readonly target?: string
  readonly args: Readonly<Record<string, string>>
  /** By name of a build argument, or of a variable of a builder's environment: the image of the plan whose reference is the value. */
  readonly baseArgs?: Readonly<Record<string, string>>
  /** Names of the images of the plan that it is declared to be built on, those of `baseArgs` included. A Dockerfile may name more. */
  readonly bases?: readonly string[]
  readonly options?: BuildOptions
  /** A command that builds it; undefined = the Dockerfile does. */
  readonly build?: CustomBuild
  /** It is not built: somebody else's image, which nodes pull. Undefined = it is built. */
  readonly pulled?: PulledImage
  readonly live: readonly LiveRule[]
  readonly at: SourcePosition
}

/** An image that devloop only syncs into. */
export interface PulledImage {
  /** As pods have it. */
  readonly ref: string
  /** Whether the whole tree is synced into each container, on first contact; else the image is taken to hold what is there at that time. */
  readonly initialSync: boolean
  /** It is whatever a container of an attached workload runs, and `ref` names the workload. */
  readonly attached?: true
}

/** How an image is built, as far as it is said. */
export interface BuildOptions {
  /** By id. Values are read at each build and kept nowhere. */
  readonly secrets?: Readonly<Record<string, { readonly file: string } | { readonly env: string }>>
  /** Sockets of ssh agents by id; null = that of devloop's own environment. */
  readonly ssh?: Readonly<Record<string, string | null>>
  /** `os/arch[/variant]`; undefined = that of the nodes. */
  readonly platform?: string
  readonly network?: string
  /** Host name to IP address, or to `host-gateway`. */
  readonly extraHosts?: Readonly<Record<string, string>>
  /** References. */
  readonly cacheFrom?: readonly string[]
  readonly pull?: boolean
  readonly labels?: Readonly<Record<string, string>>
  /** More tags of the same repository. */
  readonly tags?: readonly string[]
}

/** A builder that is a command on this machine. */
export interface CustomBuild {
  readonly command: Command
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** What a changed file of an image leads to. Patterns are globs and paths relative to the context, with `/`. */
export type LiveRule =
  | {
      readonly kind: 'sync'
      /** File or folder, '' = the whole context. */ readonly from: string
      /** Absolute path in the container. */ readonly to: string
      /** Globs: of what is in `from`, it covers only what matches one; undefined = all. */ readonly include?: readonly string[]
      /** Globs: what matches one of these it does not cover. */ readonly exclude?: readonly string[]
      /** What the container changes comes back. */ readonly bothWays?: true
      readonly at: SourcePosition
    }
  | {
      readonly kind: 'run'
      readonly command: Command
      /** Runs when a synced path matches one of these; empty = every synced path. */ readonly on: readonly string[]
      readonly timeoutMs: number
      /** Whom it runs as in a container, by name or number; absent = the container's user. */ readonly user?: string
      /** Whether a newer change ends it, to start it anew with that. */ readonly cancelOnChange?: true
      readonly at: SourcePosition
    }
  | {
      readonly kind: 'notify'
      readonly how: NoticeSpec
      /** As in `run`. */ readonly on: readonly string[]
      readonly timeoutMs: number
      readonly at: SourcePosition
    }
  | {
      readonly kind: 'restart'
      /** As in `run`. */ readonly on: readonly string[]
      /** The process gets it, and is not replaced. */ readonly signal?: ReloadSignal
      readonly at: SourcePosition
    }
  | { readonly kind: 'rebuildOn'; readonly patterns: readonly string[]; readonly at: SourcePosition }
  | { readonly kind: 'ignore'; readonly patterns: readonly string[]; readonly at: SourcePosition }

/** Signals that programs take for a wish to reload. Those that end a process, or that devloop itself needs (SIGURG), are none. */
export const reloadSignals = ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const
export type ReloadSignal = (typeof reloadSignals)[number]

/** How an app is told that its files are there. */
export type NoticeSpec =
  | { readonly kind: 'signal'; readonly signal: ReloadSignal }
  | {
      readonly kind: 'http'
      /** Port in the container. */
      readonly port: number
      /** With the query; begins with a slash. */
      readonly path: string
      readonly method: string
      readonly body?: { readonly text: string; readonly type: string }
    }

/** A string runs by `sh -c`; an array is executed as it is. */
export type Command = string | readonly string[]

export type ResourceSpec = AppSpec | ConfigSpec | ManifestsSpec | KustomizeSpec | HelmSpec | CustomSpec | AttachSpec | LocalSpec

/** A resource whose objects a tool of this machine makes from files. */
export type RenderedSpec = KustomizeSpec | HelmSpec

/** Whether the objects of a resource are made by a tool, and then applied like manifests. */
export const isRendered = (resource: ResourceSpec | undefined): resource is RenderedSpec =>
  resource?.kind === 'kustomize' || resource?.kind === 'helm'

/** Whether a resource has files of its own that are watched for it, beside those of its images. */
export const hasSources = (resource: ResourceSpec | undefined): resource is RenderedSpec | CustomSpec | ConfigSpec =>
  isRendered(resource) || resource?.kind === 'custom' || resource?.kind === 'config'

/** Whether something must be made of a resource's own files before it can be deployed: objects by a tool, or the values of a config. */
export const isPrepared = (resource: ResourceSpec | undefined): resource is RenderedSpec | ConfigSpec =>
  isRendered(resource) || resource?.kind === 'config'

/** How a resource takes part in the graph of resources: when it is worked on, and for whom it waits. */
export interface GraphSettings {
  /** Names of resources that must be ready before this one is started for the first time. */
  readonly needs: readonly string[]
  /**
   * Names of resources that this one comes after: it is done again when one of them was deployed with something new (or, a local, ran
   * well), and does not start while one of them is at work.
   */
  readonly rebuildAfter: readonly string[]
  /** The groups that it belongs to. */
  readonly labels: readonly string[]
  /** Whether it starts by itself; else when it is triggered or enabled. */
  readonly auto: boolean
  /** Whether a change is acted on at once, or collected until somebody triggers the resource. */
  readonly trigger: 'auto' | 'manual'
  /** Whether it is enabled as long as nobody says otherwise. */
  readonly enabled: boolean
}

interface ResourceBase extends GraphSettings {
  readonly name: string
  readonly forward: readonly ForwardSpec[]
  /** Ready once it is deployed, whatever its pods say. Never of a local. */
  readonly readiness?: 'ignore'
  /** What of its declaration cannot be followed, in words. It runs all the same. */
  readonly warnings?: readonly ErrorInfo[]
  readonly at: SourcePosition
}

/** What others publish and a project's apps use, by the helper of the Devloopfile that makes it. */
export type ServiceKind = 'postgres' | 'mysql' | 'mongodb' | 'redis' | 'rabbitmq' | 'kafka' | 'minio'

/** An app that devloop writes the Kubernetes objects for. */
export interface AppSpec extends ResourceBase {
  readonly kind: 'app'
  /** It is one of these: whoever refers to its values needs it. Undefined = it is the project's own. */
  readonly service?: ServiceKind
  readonly image: { readonly built: string } | { readonly ref: string }
  /** Port name to container port; the order is the Devloopfile's. */
  readonly ports: Readonly<Record<string, number>>
  readonly env: Readonly<Record<string, TextValue>>
  /** Configs all of whose values are variables too; later ones win, and `env` over all. Undefined = none. */
  readonly envFrom?: readonly ConfigRef[]
  /** Replaces the image's entrypoint. */
  readonly command?: readonly string[]
  /** Replaces the image's default arguments. */
  readonly args?: readonly string[]
  readonly replicas: number
  /** It runs to its end: ready means that it succeeded. A failed run is repeated so often. */
  readonly job?: { readonly retries: number }
  /** Its name leads straight to its pods, on every port. */
  readonly headless?: true
  /** More names, beside its own, that its pods are reached by. */
  readonly aliases?: readonly string[]
  /** Containers do not find `PORT` and `PORT_NAME` in their environment. A process of this machine does in any case. */
  readonly portVariables?: false
  /** What is mounted into its container; no two at one path. */
  readonly volumes?: readonly VolumeSpec[]
  /** When its container is ready; `false` = once it runs. Undefined = when its first port accepts connections. */
  readonly probe?: ProbeSpec | false
  /** Working folder in the container; undefined = the image's. */
  readonly workdir?: string
  /** Who its container runs as; undefined = the image's user. */
  readonly user?: { readonly uid: number; readonly gid?: number }
  readonly pod?: PodSettings
  /** It can be reached from outside of the cluster: by a Route where the cluster has them, else by an Ingress. */
  readonly expose?: ExposeSpec
  /** Who its pods are to the API server; undefined = a ServiceAccount of its own that may do nothing, and no token. */
  readonly serviceAccount?: ServiceAccountSpec
  /** It is started under its debugger. */
  readonly debug?: DebugSpec
  /** How to run it on this machine; undefined = only on Kubernetes. */
  readonly process?: { readonly prepare?: Command; readonly command: Command }
}

export type DebugLanguage = 'node' | 'python' | 'go' | 'java'

export interface DebugSpec {
  readonly language: DebugLanguage
  /** That its debugger listens on in the container, on the loopback. */
  readonly port: number
  /** Of this machine, to attach to. */
  readonly local: number
  readonly fallback?: 'next-free'
}

/** What is forwarded to a resource, each with what it is called: what it says, and its debugger. */
export function forwardsOf(spec: ResourceSpec): readonly (ForwardSpec & { readonly name: string; readonly isDebug: boolean })[] {
  const said = spec.forward.map((one) => ({ ...one, name: String(one.port), isDebug: false }))
  if (spec.kind !== 'app' || !spec.debug) return said
  const { local, port, fallback } = spec.debug
  return [...said, { local, port, ...(fallback ? { fallback } : {}), name: 'debug', isDebug: true }]
}

/** Which built images objects hold, and where beside the containers of pod templates. */
export interface ImageUse {
  /** Names of images whose references in the objects are replaced by what was built. */
  readonly images: readonly string[]
  readonly imageFields?: readonly ImageField[]
  /** Environment variables of containers whose whole value is such a reference: any, or those with these names. */
  readonly imageEnv?: true | readonly string[]
}

/** Where objects of a kind hold a reference. Paths are names with dots between them; `[*]` behind one stands for each item of a list. */
export interface ImageField {
  readonly kind: string
  /** Undefined = of any. */
  readonly apiVersion?: string
  /** The reference; with `repository` and `tag` the object that holds both. */
  readonly path: string
  /** Where the reference is split: the names of its two halves below `path`. The first has registry and repository. */
  readonly repository?: string
  readonly tag?: string
}

/** What is mounted at a path of a container. */
export type VolumeSpec = { /** Absolute, in the container. */ readonly path: string; readonly readOnly?: true } & (
  | {
      /** Outlives its pods: a PersistentVolumeClaim. The same name means the same volume. */
      readonly kind: 'named'
      readonly name: string
      /** A Kubernetes quantity. */
      readonly size: string
      /** Undefined = the default of the cluster. */
      readonly storageClass?: string
      /** The first app of the plan that has the volume makes it. */
      readonly owner?: true
    }
  | {
      /** Empty at first, and gone with its pod. */
      readonly kind: 'empty'
      readonly memory?: true
      /** A Kubernetes quantity. */
      readonly size?: string
    }
  | {
      /** Files that devloop brings: a ConfigMap, or a Secret. */
      readonly kind: 'files'
      readonly secret?: true
      /** `path` is the one file itself, and not a folder. */
      readonly single?: true
      readonly files: readonly VolumeFile[]
    }
  | ({
      /** A file for each value of a config. */
      readonly kind: 'config'
    } & ConfigRef)
)

export interface VolumeFile {
  /** Below the volume's path; empty for the file of a single one. */
  readonly to: string
  /** Where its content is: a file of this machine with the hash of what it held, or the text itself. */
  readonly from: { readonly file: string; readonly hash: string } | { readonly text: TextValue }
  /** Permission bits. */
  readonly mode: number
}

/** How a container is asked whether it is ready. Times are in seconds. */
export interface ProbeSpec {
  readonly check:
    | { readonly kind: 'exec'; readonly command: readonly string[] }
    /** A port's name or number. */
    | { readonly kind: 'tcp'; readonly port: string | number }
    | { readonly kind: 'http'; readonly port: string | number; readonly path: string }
  /** Pause between two questions, to a container that has been ready. */
  readonly period: number
  /** The same, until it is ready for the first time. */
  readonly startPeriod: number
  readonly timeout: number
  /** So many bad answers in a row make a ready container unready. */
  readonly failures: number
}

/** How an app is reached from outside of the cluster. */
export interface ExposeSpec {
  /** Name of one of its ports. */
  readonly port: string
  /** Undefined = the cluster chooses one, or takes any. */
  readonly host?: string
  /** Begins with a slash; what is below it leads to the app too. */
  readonly path: string
  /** By TLS that ends before the app: `true` with the cluster's own certificate, else with that of the Secret of this name. */
  readonly tls?: true | { readonly secret: string }
  /** Of an Ingress; undefined = the default of the cluster. */
  readonly ingressClass?: string
  readonly annotations?: Readonly<Record<string, string>>
}

/** A ServiceAccount that is there, by its name, or what the app's own has. */
export type ServiceAccountSpec =
  | { readonly name: string }
  | {
      /** Its pods find its token in a file. */
      readonly token: boolean
      /** Rules of a Role, in the app's namespace. */
      readonly rules?: readonly AccessRule[]
      readonly annotations?: Readonly<Record<string, string>>
    }

/** A rule of a Role, as Kubernetes has it. */
export interface AccessRule {
  /** '' = the core group. */
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly resourceNames?: readonly string[]
}

/** Amounts as Kubernetes quantities. */
export interface ResourceAmounts {
  readonly cpu?: string
  readonly memory?: string
}

/** Settings of an app's pods that only Kubernetes knows. */
export interface PodSettings {
  /** What it is promised; what is not said gets a default. */
  readonly requests?: ResourceAmounts
  /** At most; what is not said gets a default. */
  readonly limits?: ResourceAmounts
  /** Seconds that it is given to end. */
  readonly stopTimeout?: number
  /** Host names that it knows beside those of the cluster: name to IP address. */
  readonly hosts?: Readonly<Record<string, string>>
  readonly hostname?: string
  /** Group that its volumes belong to. */
  readonly fsGroup?: number
  /** Linux capabilities, without `CAP_`. */
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] }
  /** Its root file system cannot be written. */
  readonly readOnly?: true
  /** Its standard input stays open. */
  readonly stdin?: true
  /** It has a terminal. */
  readonly tty?: true
}

/** A config by its name, which is also that of its ConfigMap or (`secret`) Secret. */
export interface ConfigRef {
  readonly config: string
  readonly secret?: true
}

/** Values that others are given, by their names: a ConfigMap or a Secret of the cluster. */
export interface ConfigSpec extends ResourceBase {
  readonly kind: 'config'
  /** It becomes a Secret. */
  readonly secret: boolean
  /** Where its values come from; later ones win. What is there is read when it is deployed, and is no part of the plan. */
  readonly sources: readonly ConfigSource[]
}

export type ConfigSource =
  | { readonly kind: 'values'; readonly values: Readonly<Record<string, TextValue>> }
  | { readonly kind: 'env-file'; readonly path: string; /** It need not be there. */ readonly optional?: true }
  /** One value: the content of a file. */
  | { readonly kind: 'file'; readonly key: string; readonly path: string }
  /** A value for each file that is directly in it. */
  | { readonly kind: 'folder'; readonly path: string }
  /** A Secret of the cluster, mostly of another namespace; `keys` undefined = all of it. */
  | { readonly kind: 'secret'; readonly namespace: string; readonly name: string; readonly keys?: readonly string[] }
  | {
      /** What a command prints on its stdout. */
      readonly kind: 'command'
      readonly command: Command
      readonly cwd: string
      /** Globs below `cwd` of what makes it run again. */
      readonly watch: readonly string[]
      /** `key`: all of the output is the value of that name. */
      readonly format: 'dotenv' | 'json' | 'yaml' | { readonly key: string }
      readonly timeoutMs: number
    }

/** Kubernetes objects that the user wrote. */
export interface ManifestsSpec extends ResourceBase, ImageUse {
  readonly kind: 'manifests'
  /** The parsed objects, in file order, images not yet replaced. */
  readonly objects: readonly ManifestObject[]
  /** Of namespaced objects that name none. Undefined = that of the cluster settings. */
  readonly namespace?: string
}

/** Objects that `kustomize build` makes. */
export interface KustomizeSpec extends ResourceBase, ImageUse {
  readonly kind: 'kustomize'
  /** Folder of the kustomization. */
  readonly folder: string
  /** More arguments of `kustomize build`. */
  readonly flags: readonly string[]
}

/** What a Helm chart makes: rendered and applied like manifests, or installed by Helm. */
export interface HelmSpec extends ResourceBase, ImageUse {
  readonly kind: 'helm'
  readonly chart:
    | { /** Folder or archive. */ readonly path: string }
    | {
        /** Name in `repo`, or `oci://...`. */
        readonly name: string
        readonly repo?: string
        /** A version or a range; undefined = the newest. */
        readonly version?: string
        /** Its registry has no TLS. */
        readonly plainHttp?: true
      }
  readonly releaseName: string
  /** Where it answers, as pods see it: a Service that the chart makes. */
  readonly address?: { readonly host: string; readonly port: number }
  /** Undefined = that of the cluster settings. */
  readonly namespace?: string
  /** Files and inline values; later ones win. */
  readonly values: readonly ({ readonly file: string } | { readonly inline: Readonly<Record<string, unknown>> })[]
  /** By path, such as `image.tag`; wins over `values`. */
  readonly set: Readonly<Record<string, string | number | boolean>>
  /** For `.Capabilities`; undefined = what the cluster says. */
  readonly kubeVersion?: string
  /** API versions that `.Capabilities` has beside those that Helm knows. */
  readonly apiVersions: readonly string[]
  /** Whether the chart's `crds` folder counts. */
  readonly crds: boolean
  /** Whether `helm dependency build` is run for a local chart that lacks what it depends on. */
  readonly dependencies: boolean
  /** Helm installs it as a release; undefined = devloop applies what `helm template` gives. */
  readonly release?: ReleaseSettings
}

/** How a Helm release is made. */
export interface ReleaseSettings {
  /** Milliseconds that Helm waits for a hook, and for what it deletes. */
  readonly timeoutMs: number
}

/** A chart that Helm itself installs and upgrades. */
export type ReleaseSpec = Omit<HelmSpec, 'kind' | 'release'> & {
  readonly kind: 'release'
  readonly release: ReleaseSettings
  /** What `helm template` gives, hooks included, images not yet replaced. What Helm installs may differ where a chart looks at the cluster. */
  readonly objects: readonly ManifestObject[]
}

/** Something that the user's own commands put into the cluster. */
export interface CustomSpec extends ResourceBase {
  readonly kind: 'custom'
  /** Run at start, and when a watched path or an image changed. Must be repeatable. */
  readonly apply: Command
  /** Run when the resource leaves the plan, and by `devloop down`. Undefined = nothing is deleted. */
  readonly delete?: Command
  /** Working folder. */
  readonly cwd: string
  /** Watched paths, as globs below `cwd`. */
  readonly watch: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly images: readonly string[]
  /** Labels of its pods; undefined = of the workloads that `apply` prints. */
  readonly selector?: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

/** What devloop attaches to. */
export const attachedKinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'Pod'] as const
export type AttachedKind = (typeof attachedKinds)[number]

/** A workload that something else deploys. devloop changes nothing of it but files in a container of its pods. */
export interface AttachSpec extends ResourceBase {
  readonly kind: 'attach'
  readonly workload: { readonly kind: AttachedKind; readonly name: string }
  /** Undefined = that of the cluster settings. */
  readonly namespace?: string
  /** The container that files are written into; undefined = the pod's default one. */
  readonly container?: string
  /** The image that stands for what this container runs, with the live rules; none = nothing is written. */
  readonly images: readonly string[]
}

/** Such as `deployment/web`. */
export const attachedName = ({ workload: { kind, name } }: AttachSpec): string => `${kind.toLowerCase()}/${name}`

export interface ManifestObject {
  readonly object: KubeObject
  /** Where the object starts; undefined for one written inline in the Devloopfile. */
  readonly at?: SourcePosition
}

/** A command on this machine. */
export interface LocalSpec extends ResourceBase {
  readonly kind: 'local'
  /** Runs to its end, at start and on each change of a watched path. */
  readonly run?: Command
  /** Keeps running; started again after each `run`, and after each change when there is no `run`. */
  readonly serve?: Command
  /** Port that `serve` listens on, for people and for the default of `ready`. */
  readonly port?: number
  /** When `serve` is ready; undefined = once started. */
  readonly ready?: ReadinessProbe
  /** Whether a `serve` that ended by itself is started again: always, unless its exit code is 0, or never. */
  readonly restart: 'always' | 'on-failure' | 'never'
  /** Working folder. */
  readonly cwd: string
  /** Watched paths, as globs below `cwd`. */
  readonly watch: readonly string[]
  readonly env: Readonly<Record<string, TextValue>>
}

/** How a `serve` is asked whether it is ready. All times in milliseconds. */
export interface ReadinessProbe {
  readonly check: ReadinessCheck
  /** Pause before the first question. */
  readonly delayMs: number
  /** Pause between two questions to one that was ready; one that is not is asked more often. */
  readonly periodMs: number
  /** For one answer. */
  readonly timeoutMs: number
  /** Good answers in a row that make it ready. */
  readonly successes: number
  /** Bad answers in a row that make it unready again. */
  readonly failures: number
  /** From its start until it must have been ready; later it is an error, though it is still asked. */
  readonly withinMs: number
}

export type ReadinessCheck =
  /** It accepts connections on this port of 127.0.0.1. */
  | { readonly kind: 'tcp'; readonly port: number }
  /** The address answers with a status from 200 to 399. */
  | { readonly kind: 'http'; readonly url: string }
  /** The command ends with 0. */
  | { readonly kind: 'exec'; readonly command: Command }
  /** It has printed a line that this regular expression matches. */
  | { readonly kind: 'log'; readonly pattern: string }

/** A port of this machine that leads to the ready pod (or process) of a resource. */
export interface ForwardSpec {
  /** Port on 127.0.0.1. */
  readonly local: number
  /** Open the next free port when `local` is taken; undefined = that is an error. */
  readonly fallback?: 'next-free'
  /** Port name of an app, or a container port number. */
  readonly port: string | number
}

/** Text that may hold references, which are resolved when it is used. */
export type TextValue = readonly TextPart[]

export type TextPart =
  | { readonly kind: 'literal'; readonly text: string }
  /** A value made once (random, 32 letters and digits) and kept: in a Secret of the cluster, or in the process runtime's memory-backed state. Secret. */
  | { readonly kind: 'generated'; readonly name: string }
  /** A secret text that stands in the Devloopfile, or in what it reads. The text itself is kept outside of plan and state, see SealedTexts. */
  | { readonly kind: 'sealed'; readonly id: string }
  /** A value of a config. */
  | ({ readonly kind: 'config'; readonly key: string } & ConfigRef)
  /** Where another app answers, seen from the one that uses the text. `part` address = host:port. `port` undefined = its first. */
  | { readonly kind: 'address'; readonly resource: string; readonly port?: string; readonly part: 'address' | 'host' | 'port' }

/** The texts of `sealed` parts by their ids. An id tells nothing of the text to who does not have it. */
export type SealedTexts = Readonly<Record<string, string>>

/** A Kubernetes object as it stands in a manifest. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: {
    name: string
    namespace?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
    [key: string]: unknown
  }
  [key: string]: unknown
}

/** Whether resolving a text needs a secret, so that the whole must be treated as one. */
export const isSecretText = (text: TextValue): boolean =>
  text.some((part) => part.kind === 'generated' || part.kind === 'sealed' || (part.kind === 'config' && part.secret === true))

/** Every text that a resource holds. */
export function textsOf(resource: ResourceSpec): readonly TextValue[] {
  if (resource.kind === 'config')
    return resource.sources.flatMap((source) => (source.kind === 'values' ? Object.values(source.values) : []))
  if (!('env' in resource)) return []
  const env: readonly (TextValue | string)[] = Object.values(resource.env)
  const files = resource.kind === 'app' ? (resource.volumes ?? []).flatMap((one) => (one.kind === 'files' ? one.files : [])) : []
  return [...env.filter((text) => typeof text !== 'string'), ...files.flatMap(({ from }) => ('text' in from ? [from.text] : []))]
}

/** Names of images with those that they are declared to be built on, each once. */
export function withBases(plan: Plan, names: Iterable<string>): readonly string[] {
  const found = new Set<string>()
  const pending = [...names]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (found.has(name)) continue
    found.add(name)
    pending.push(...(plan.images[name]?.bases ?? []))
  }
  return [...found]
}

/** Names of the built images that a resource runs. */
export function imagesOf(resource: ResourceSpec | ReleaseSpec): readonly string[] {
  if (resource.kind === 'local' || resource.kind === 'config') return []
  if (resource.kind !== 'app') return resource.images
  return 'built' in resource.image ? [resource.image.built] : []
}
