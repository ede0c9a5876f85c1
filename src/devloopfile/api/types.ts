// The types that users of the API see: completion and hover text are written here.

declare const opaque: unique symbol

/** What `defineDevloop` makes: the default export of a Devloopfile. */
export interface Devloopfile {
  readonly [opaque]: 'devloopfile'
}

/** What the function given to `defineDevloop` is called with. */
export interface Context {
  /** Who runs devloop: the login name in lower case, with `-` for all that is no letter or digit, so that names can be made of it. */
  readonly user: string
  /** What stood after `--` on the command line of `devloop watch`. */
  readonly args: readonly string[]
  /** Where apps run: in a cluster, or as processes on this machine (`--runtime process`). */
  readonly runtime: 'kubernetes' | 'process'
}

/** What a Devloopfile declares. */
export interface Project {
  /** Name of the project: lower-case letters, digits and `-`, at most 63. Objects in the cluster are labelled with it. */
  name: string
  /** Where and how devloop may use a cluster. */
  cluster?: ClusterOptions
  /** How devloop itself works. */
  settings?: SettingsOptions
  /**
   * What is to run, in the order in which it is shown. What these need, or refer to in a `text`, comes along by itself.
   * `false` and `undefined` are left out, so that `runtime === 'kubernetes' && manifests(...)` can stand in the list.
   */
  resources: readonly (Resource | false | null | undefined)[]
}

export interface ClusterOptions {
  /**
   * Kubeconfig contexts that devloop may write to, by name or with `*`, such as `['kind-*', 'staging-eu']`.
   * Known local clusters (kind, minikube, k3d, Docker Desktop and the like) need not be named.
   */
  contexts?: string | readonly string[]
  /**
   * Namespace of everything that names none; it is made if it does not exist. Default: that of the kubeconfig's context. Without one (or
   * with `default`) your own, `PROJECT-USER`, where `sandbox` or `tenant` is given, else `default`.
   */
  namespace?: string
  /**
   * Registry that images are pushed to, as `host[:port][/path]`, or with more to say of it. Default: the one that the cluster
   * announces (KEP-1755); else what its product needs: kind, k3d, minikube and the like get images without a registry.
   */
  registry?: string | RegistryOptions
  /**
   * How nodes log in to that registry. `true`: devloop puts the credentials that it pushes with into a Secret of the namespace, and
   * gives it to the pods with built images. A name or names: Secrets of the namespace that are there. Default: nothing is added.
   */
  pullSecret?: boolean | string | readonly string[]
  /**
   * The Docker engine (or Podman's socket) that builds: an address such as `'ssh://me@build-host'` or
   * `'unix:///run/podman/podman.sock'`, a Docker context, or one in the cluster. Default: as the docker command finds it.
   */
  engine?: string | { context: string } | { inCluster: string | InClusterEngine }
  /**
   * What a namespace is given that devloop makes: a quota, defaults for containers, rights, a network policy, pod security. Also makes
   * your own namespace the default one. `true`: with all defaults.
   */
  sandbox?: boolean | SandboxOptions
  /** Tenant (of a Multi Tenant Operator) that namespaces are made for. Default: none, and the sandbox that the operator made is found. */
  tenant?: string | TenantOptions
}

/** What a namespace is given that devloop makes, on `watch` and `ci` or by `devloop provision`. Amounts are Kubernetes quantities. */
export interface SandboxOptions {
  /** What its containers may ask for together (`requests.cpu`), such as `'4'`. Default: no limit. */
  cpu?: string
  /** What its containers may ask for and use together (`requests.memory`, `limits.memory`), such as `'8Gi'`. Default: no limit. */
  memory?: string
  /** What its volume claims may ask for together (`requests.storage`). Default: no limit. */
  storage?: string
  /** How many pods there may be. Default: no limit. */
  pods?: number
  /** Further keys of a ResourceQuota, such as `{ 'services.loadbalancers': 0 }`; they win over the ones above. */
  quota?: Readonly<Record<string, string | number>>
  /**
   * What containers get that say nothing. Default: of what the quota counts, requests of `cpu: '100m'` and `memory: '128Mi'`, and limits of
   * `cpu: '1'` and `memory: '512Mi'`, or less where the quota is smaller; without a quota nothing.
   */
  defaults?: { requests?: Readonly<Record<string, string>>; limits?: Readonly<Record<string, string>> }
  /**
   * `'isolated'`: pods of other developers' namespaces do not reach its pods, where the cluster's network plugin enforces policies.
   * Default: `'isolated'`.
   */
  network?: 'isolated' | 'open'
  /** The Pod Security level that pods must keep to. Default: `'baseline'`; what is not `'restricted'` is warned of. */
  podSecurity?: 'privileged' | 'baseline' | 'restricted'
  /** Who may work in it beside you, and the ClusterRole that you all get there. Default: nobody, and `edit`. */
  access?: { users?: readonly string[]; groups?: readonly string[]; role?: string }
  /** Name of a ServiceAccount without rights to make there. Default: none. */
  serviceAccount?: string
  /**
   * Put the login that devloop pushes with into a Secret, and give it to all pods that name no account of their own. Whoever may read
   * Secrets there can read it. Default: false.
   */
  pullSecret?: boolean
  /** Hours after its last use at which `devloop down --expired` deletes it. Default: never. */
  expires?: number
}

/** A tenant of a Multi Tenant Operator. */
export interface TenantOptions {
  name: string
  /** Key of the label that says which tenant a namespace belongs to. Default: `'stakater.com/tenant'`. */
  label?: string
}

export interface SettingsOptions {
  /**
   * How much may run at once: a number for each kind of work, or single ones. Defaults: `builds` one for each core, `deploys` 8, and
   * `locals` (their `run`) one for each core, but 4 at least.
   */
  parallel?: number | ParallelOptions
  /**
   * What is kept of the images that devloop made, in the engine and in the registry; `false` = all of them, for ever. What runs in the
   * cluster, and the newest build of each image, is kept in any case. Default: `{ keep: 3, maxAge: 168 }`.
   */
  prune?: PruneOptions | false
  /** When `devloop ci` gives up. Its options on the command line win. */
  ci?: CiOptions
  /**
   * Whether pods that run synced images get devloop's agent, by an init container and an emptyDir at `/.devloop`. Without it, live sync
   * and restarts need a shell in the image. Default: true; what the cluster refuses runs without it in any case.
   */
  agent?: boolean
}

export interface ParallelOptions {
  builds?: number
  deploys?: number
  locals?: number
}

export interface PruneOptions {
  /** Keep at most so many of the newest builds of each image. Default: 3. */
  keep?: number
  /** Hours: keep none that is older. Default: 168, a week. */
  maxAge?: number
}

export interface CiOptions {
  /** Seconds for the whole run. Default: 1800. */
  timeout?: number
  /** Seconds for one resource, from its start until it is ready. Jobs take as long as they take. Default: 300. */
  readinessTimeout?: number
  /** Seconds for which a resource that crashes may come to itself. Default: 0, the first crash counts. */
  grace?: number
}

/** Where images are pushed, and how they are named there. */
export interface RegistryOptions {
  /** `host[:port][/path]` that the engine pushes to. */
  push: string
  /** The same place as the cluster's nodes name it. Default: as the cluster announces it, else the same as `push`. */
  pull?: string
  /**
   * One repository for all images, such as `'dev'`: the image's name then stands in the tag. For registries whose repositories must be
   * made beforehand, such as ECR. Default: a repository for each image.
   */
  singleName?: string
  /** Use it only where the cluster announces no registry of its own. Default: false. */
  fallback?: boolean
}

/** A Docker engine that runs in the cluster. It is reached by a port-forward: it needs no address outside of its pod. */
export interface InClusterEngine {
  /** `'deployment/NAME'`, `'statefulset/NAME'` or `'service/NAME'`. */
  workload: string
  /** Its namespace. Default: that of the project. */
  namespace?: string
  /** Port that it listens on, without TLS, on the pod's loopback at least. Default: 2375. */
  port?: number
}

/** Something that runs and has a status: made by `app`, `config`, `secret`, `manifests`, `kustomize`, `helm`, `custom`, `attach` or `local`. */
export interface Resource {
  readonly name: string
  readonly [opaque]: 'app' | 'config' | 'manifests' | 'kustomize' | 'helm' | 'custom' | 'attach' | 'local'
}

/** An app, made by `app`. `Port` are the names of its ports. */
export interface App<Port extends string = string> extends Resource, Endpoint {
  readonly [opaque]: 'app'
  /** A port by its name: `api.at('metrics').address`. */
  at(port: Port): Endpoint
}

/** Where an app answers, seen from whoever uses the text. For `text` and `env`; a plain template literal refuses it. */
export interface Endpoint {
  /** `host:port`; of the app's first port where no port is named. */
  readonly address: Text
  /** Host name without the port. */
  readonly host: Text
  /** Port number. */
  readonly port: Text
}

/** Values that apps are given, made by `config` or `secret`. */
export interface Config extends Resource {
  readonly [opaque]: 'config'
  /** One of its values, for `env` and `text`; what `secret` made gives a secret text. */
  at(key: string): Text
}

/** Kubernetes objects of your own, made by `manifests`. */
export interface Manifests extends Resource {
  readonly [opaque]: 'manifests'
}

/** Kubernetes objects that a kustomization gives, made by `kustomize`. */
export interface Kustomize extends Resource {
  readonly [opaque]: 'kustomize'
}

/** A Helm chart, made by `helm`. */
export interface Helm extends Resource {
  readonly [opaque]: 'helm'
}

/** What commands of your own put into the cluster, made by `custom`. */
export interface Custom extends Resource {
  readonly [opaque]: 'custom'
}

/** A workload that something else deploys, made by `attach`. */
export interface Attached extends Resource {
  readonly [opaque]: 'attach'
}

/** A command on this machine, made by `local`. */
export interface Local extends Resource {
  readonly [opaque]: 'local'
}

/** Something that is built from a folder, made by `image`. */
export interface Image {
  readonly name: string
  readonly [opaque]: 'image'
}

/** What a changed file of an image leads to: made by `sync`, `run`, `notify`, `restart`, `rebuildOn` or `ignore`. */
export interface LiveRule {
  readonly [opaque]: 'live rule'
}

/**
 * Text that may hold what is only known when it is used: an address, a generated value. Made by the tag `text`, by `generated`, and
 * by `api.address` and the like. It knows whether it is secret. Put it into `env` or into another `text`.
 */
export interface Text {
  readonly [opaque]: 'text'
}

/** A string runs by `sh -c`; an array is executed as it is. */
export type Command = string | readonly string[]

/** Environment variables. One whose text is secret reaches a container through a Secret. */
export type Env = Readonly<Record<string, string | number | boolean | Text>>

export interface ImageOptions {
  /** Folder that is the build context, relative to this file. Default: the folder of this file. */
  context?: string
  /** Path of the Dockerfile, relative to this file, or its text. Default: `Dockerfile` in the context. */
  dockerfile?: string | { inline: string }
  /** Stage of the Dockerfile to build. Default: the last. */
  target?: string
  /**
   * Build arguments (`ARG`). They are no place for secrets: anyone who has the image can read them. An image of this project becomes
   * its reference: with `args: { BASE: base }` and `FROM ${BASE}` this image is built on that one, and again whenever that one is.
   */
  args?: Readonly<Record<string, string | number | boolean | Image>>
  /**
   * Images of this project that the Dockerfile names in `FROM` or `COPY --from` by their plain names, such as `FROM shop/base`. They are
   * built first, once for all that are built on them. Those in `args` need not be named here.
   */
  bases?: readonly Image[]
  /**
   * What `RUN --mount=type=secret,id=NAME` gets, by that id: a file (relative to this file), or a variable of devloop's own environment.
   * It is read at each build and is in no layer, log or state. Needs BuildKit.
   */
  secrets?: Readonly<Record<string, BuildSecret>>
  /**
   * What `RUN --mount=type=ssh` may use: `true` is the ssh agent of devloop's environment (`SSH_AUTH_SOCK`); by id, `true` for that
   * agent or the path of another agent's socket. Keys stay in the agent. Needs BuildKit.
   */
  ssh?: true | Readonly<Record<string, true | string>>
  /** What it is built for, such as `linux/arm64`. Default: what the cluster's nodes are. */
  platform?: string
  /** Network of the `RUN` steps: `default`, `none` or `host`; by the classic builder also a network's name. */
  network?: string
  /** Hosts that the `RUN` steps know beside those of the name service: name to IP address, or to `host-gateway`. */
  extraHosts?: Readonly<Record<string, string>>
  /** References of images whose layers may be used as cache. BuildKit wants them built with `BUILDKIT_INLINE_CACHE=1`. */
  cacheFrom?: string | readonly string[]
  /** Ask the registries for newer base images at each build. Default: what the engine has is used. */
  pull?: boolean
  /** Labels of the image. */
  labels?: Readonly<Record<string, string>>
  /** Tags that it gets beside the one that devloop makes from its content, such as `latest`. They are pushed too. */
  tags?: string | readonly string[]
  /** Build with a command of your own (ko, buildpacks, bazel, jib, a script) instead of a Dockerfile. */
  build?: CustomBuildOptions
  /**
   * A reference such as `'nginx:1.27-alpine'`: the image is not built, only pulled, and `live` rules bring files of the context into its
   * containers. What no `sync` covers leads to nothing. A `restart` needs an app that says its `command`.
   */
  from?: string
  /**
   * With `from`. `true` = on first contact all files that `sync` covers are copied into each container, whatever the image holds. `false` =
   * the image holds the context as it is when devloop first sees it, and only later changes are copied. Default: `true`.
   */
  initialSync?: boolean
  /**
   * What a changed file of the context leads to. `ignore` and `rebuildOn` are looked at first, whatever their place; then every
   * `sync` that covers the file applies. A file that no rule covers rebuilds the image. Without rules, every change does.
   */
  live?: readonly LiveRule[]
}

/** A secret of a build: a file, relative to the Devloopfile's module, or a variable of devloop's own environment. */
export type BuildSecret = { file: string } | { env: string }

/**
 * A builder of your own. The command must make the image that `DEVLOOP_REF` names: in the Docker engine, or pushed. Where it cannot
 * choose the name, it writes the reference that it made to the file that `DEVLOOP_REF_FILE` names, or prints it as its last line.
 * It finds `DEVLOOP_IMAGE` (the name), `DEVLOOP_REF`, `DEVLOOP_REPOSITORY` and `DEVLOOP_TAG` (the parts of it), `DEVLOOP_REGISTRY`
 * (empty where images stay in the engine), `DEVLOOP_PLATFORM`, `DEVLOOP_CONTEXT` and `DEVLOOP_REF_FILE` in its environment.
 */
export interface CustomBuildOptions {
  /** Builds the image. It runs again when a file of `context` changes that no live rule covers. */
  command: Command
  /** More of its environment, beside that of devloop itself. An image of this project becomes its reference, and is built first. */
  env?: Readonly<Record<string, string | number | boolean | Image>>
  /** Working folder, relative to this file. Default: the context. */
  cwd?: string
}

export interface SyncOptions {
  /** Of what is in the folder, only what matches one of these globs, relative to the context, is copied by this rule. Default: all. */
  include?: string | readonly string[]
  /** What matches one of these globs, relative to the context, is not copied by this rule. Another rule may cover it; else it rebuilds. */
  exclude?: string | readonly string[]
  /**
   * `'container'` = both ways: what the container creates, changes or deletes there comes back to the local folder, and local edits go to the
   * container as without it. Where both changed a path, neither is overwritten: it is told as a conflict. Files that `.dockerignore` names are
   * synced too, though images are built without them. Default: local edits only.
   */
  from?: 'container'
}

export interface RunOptions {
  /** Runs only when a synced file matches one of these globs, relative to the context. Each must be covered by a `sync`. Default: any. */
  on?: string | readonly string[]
  /** Seconds after which the step counts as failed. Default: 300. */
  timeout?: number
  /**
   * `true` = when more is saved meanwhile, the command is ended, the files are copied, and it starts again. Default: `false`, the
   * command runs to its end first.
   */
  cancelOnChange?: boolean
  /**
   * Whom it runs as in a container that runs as root: name or number, with that user's group and home. Default: as the container. The
   * process runtime runs everything as you.
   */
  user?: string | number
}

export interface RestartOptions {
  /** Restarts only when a synced file matches one of these globs, relative to the context. Each must be covered by a `sync`. Default: any. */
  on?: string | readonly string[]
  /**
   * The process gets this signal, as its wish to reload, and is not replaced. That needs no supervisor in the container. A process that
   * does not handle the signal is not sent it: that is an error.
   */
  signal?: ReloadSignal
}

/** Signals that programs take for a wish to reload. */
export type ReloadSignal = 'SIGHUP' | 'SIGUSR1' | 'SIGUSR2' | 'SIGWINCH'

/** How an app is told that files were synced. */
export type NotifyOptions = {
  /** Only when a synced file matches one of these globs, relative to the context. Each must be covered by a `sync`. Default: any. */
  on?: string | readonly string[]
  /** Seconds after which it counts as failed; until then, a port on which nothing listens yet is tried again. Default: 10. */
  timeout?: number
} & (
  | {
      /** A request into the container; an answer with a status from 200 to 399 is a success. */
      http: NotifyRequest
    }
  | {
      /** Its process gets this signal, if it handles it. */
      signal: ReloadSignal
    }
)

export interface NotifyRequest {
  /** Port in the container. For an app that is a process of this machine: one of its ports. */
  port: number
  /** Such as `'/reload?all=1'`. Default: `/`. */
  path?: string
  /** Default: `POST` */
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD'
  /** A text, or what is sent as JSON. */
  body?: string | Readonly<Record<string, unknown>> | readonly unknown[]
}

/** How a resource takes part in the graph of resources. */
export interface GraphOptions {
  /** What must be ready before this is started for the first time: resources, or their names. */
  needs?: readonly (Resource | string)[]
  /**
   * What this comes after: resources, or their names. It is done again (images built and deployed, a local run) when one of them was
   * deployed with something new or, a local, has run well; and it does not start while one of them is at work.
   */
  rebuildAfter?: readonly (Resource | string)[]
  /** Groups that it belongs to, such as `'backend'`: on the command line `label:backend` means all of them. */
  labels?: string | readonly string[]
  /** `false` = it is not started with devloop, but when it is triggered or enabled. Default: `true`. */
  auto?: boolean
  /**
   * `'manual'` = changes are collected and shown as pending, and nothing happens before `devloop trigger`; then they are synced where
   * live rules cover them all, else rebuilt. Default: `'auto'`, at once.
   */
  trigger?: 'auto' | 'manual'
  /** `false` = it is disabled, until `devloop enable`. Default: `true`. */
  enabled?: boolean
}

export interface AppOptions<Port extends string = string> extends GraphOptions {
  /** What it runs: an image of this project, or a reference such as `'postgres:16'`. */
  image: Image | string
  /** The one port that it listens on. Its name is `main`. */
  port?: number
  /**
   * The ports that it listens on, by name; the first is the one that `api.address` means. The app finds them in its environment as
   * `PORT` (the first) and `PORT_NAME`.
   */
  ports?: Readonly<Record<Port, number>>
  /**
   * Ports of this machine that lead to it: a number for its first port, or `{ portName: local }`. Each connection goes to a ready pod.
   * A port that is taken is an error; with `{ portName: { local, fallback: 'next-free' } }` the next free one is opened instead.
   */
  forward?: number | { readonly [Name in NoInfer<Port>]?: number | ForwardOptions }
  /** Environment of its container or process. */
  env?: Env
  /**
   * What `config` and `secret` made, all of whose values are in its environment too, by their names. Of two with the same name the later
   * one counts, and `env` over all. A change of a value rolls out.
   */
  envFrom?: Config | readonly Config[]
  /** Runs instead of the image's entrypoint. */
  command?: Command
  /** Arguments instead of the image's own. */
  args?: readonly string[]
  /** Number of pods. Default: 1. */
  replicas?: number
  /** `'ignore'`: it counts as ready once it is deployed, whatever its pods say. Default: its pods must be Ready. */
  readiness?: 'ignore'
  /**
   * It runs to its end, as a Job: it is ready when it has succeeded, and runs again when it changed. `{ retries }`: how often a run
   * that failed is repeated. Default: it runs on.
   */
  job?: boolean | { retries?: number }
  /**
   * A Service without an address of its own: the app's name leads straight to its pods, on every port, also those that `ports` does not
   * name. Default: a Service with the ports of `ports`.
   */
  headless?: boolean
  /** More names that its pods are reached by, each a Service: lower-case letters, digits and `-`, beginning with a letter. */
  aliases?: readonly string[]
  /** Whether containers find `PORT` and `PORT_NAME` in their environment. On this machine a process finds them anyway. Default: true. */
  portVariables?: boolean
  /**
   * What is mounted into its container, by path: `{ '/data': 'db-data' }` is a volume by its name, which outlives the pods.
   * Others are `{ empty: true }`, `{ files: 'nginx.conf' }`, `{ text: '...' }`, and what `config` or `secret` made: a file for each of its
   * values. On this machine nothing is mounted.
   */
  volumes?: Readonly<Record<string, Volume>>
  /** When its container is ready. `false`: as soon as it runs. Default: when its first port accepts connections. */
  probe?: ProbeOptions | false
  /** Absolute path of its working folder. Default: the image's. */
  workdir?: string
  /** Who its container runs as: a user's number, or `'1000:1000'` with the group's. Default: the image's user. */
  user?: number | string
  /** What else can be said of its pods. */
  pod?: PodOptions
  /**
   * It can be reached from outside of the cluster: by a Route where the cluster has them (OpenShift), else by an Ingress. `true`: its first
   * port, by whatever host the cluster gives. Its address is shown with those of `forward`. On this machine it means nothing.
   */
  expose?: boolean | ExposeOptions<NoInfer<Port>>
  /**
   * Who its pods are to the API server: the name of a ServiceAccount that is there, or what the app's own one may do. Default: a
   * ServiceAccount of its own that may do nothing, and no token in the pods.
   */
  serviceAccount?: string | ServiceAccountOptions
  /**
   * It is started under its debugger, which a port of this machine leads to: 9229 for `node`, 5678 for `python` (the image needs
   * debugpy), 2345 for `go` (the image needs dlv), 5005 for `java`, or the next that is free. Its probes wait for who stands at a breakpoint.
   */
  debug?: DebugLanguage | DebugOptions
  /** How to run it on this machine, without cluster and Docker. Without it, the app is held there. */
  process?: ProcessOptions
}

export type DebugLanguage = 'node' | 'python' | 'go' | 'java'

export interface DebugOptions {
  language: DebugLanguage
  /** Port of this machine that leads to the debugger. When another program has it, that is an error. */
  local: number
}

/** A forward with more to say than its local port. */
export interface ForwardOptions {
  /** Port of this machine. */
  local: number
  /** What to do when another program has the port. Default: an error that names the program. */
  fallback?: 'next-free'
}

/** What is mounted into a container. A string is the name of a volume. */
export type Volume = string | NamedVolume | EmptyVolume | FilesVolume | TextVolume | Config

/**
 * A volume that outlives pods, and is kept when its app is deleted: a PersistentVolumeClaim. Apps that name the same share it. Where
 * the cluster has no default storage class, it is an empty folder that is gone with its pod, and a warning says so.
 */
export interface NamedVolume {
  volume: string
  /** A Kubernetes quantity. Default: `1Gi`. */
  size?: string
  /** Default: that of the cluster. */
  storageClass?: string
  readOnly?: boolean
}

/** A folder that is empty at first, and gone with its pod. */
export interface EmptyVolume {
  /** `'memory'`: it is kept in memory. */
  empty: true | 'memory'
  /** What it may hold, as a Kubernetes quantity. */
  size?: string
}

/** A file or folder of this machine, read-only in the container: for configuration. A change of it rolls out. At most 700 kB. */
export interface FilesVolume {
  /** Relative to this file. */
  files: string
  /** Keep it in a Secret instead of a ConfigMap. */
  secret?: boolean
  /** Permission bits of the files. Default: `0o755` for those that can be executed here, else `0o644`; `0o444` where secret. */
  mode?: number
}

/** A file with this text, read-only. One that holds a generated value is kept in a Secret. */
export interface TextVolume {
  text: string | Text
  secret?: boolean
  /** Permission bits. Default: `0o644`; `0o444` where secret. */
  mode?: number
}

/**
 * Where the values of a `config` come from. Of two with the same name the later one in this list counts: `folder`, `files`, `envFile`,
 * `values`. All paths are relative to this file; a saved file is read again at once, and exactly those apps roll out, once, that use it.
 */
export interface ConfigOptions extends GraphOptions {
  /** A value for each file that is directly in this folder, by the file's name. Names that begin with a `.` are left out. */
  folder?: string
  /** Files whose content is a value, by the file's name; or `{ name: file }`. */
  files?: string | readonly string[] | Readonly<Record<string, string>>
  /** Files of `NAME=VALUE` lines, as Compose reads them. `required: false`: it need not be there. */
  envFile?: string | EnvFile | readonly (string | EnvFile)[]
  /** Values by their names. */
  values?: Readonly<Record<string, string | number | boolean | Text>>
}

/** A file of `NAME=VALUE` lines. */
export interface EnvFile {
  path: string
  /** Default: true. */
  required?: boolean
}

/**
 * Where the values of a `secret` come from. Of two with the same name the later one in this list counts: `folder`, `files`, `from`,
 * `command`, `envFile`, `values`.
 */
export interface SecretOptions extends ConfigOptions {
  /** A Secret of the cluster, of this or another namespace, which your own login can read. It is watched. */
  from?: SecretSource
  /**
   * A command that prints the values, such as `'sops -d secrets.yaml'` or `'vault kv get -format=json ...'`. It runs at the start, by
   * `devloop trigger`, and when a file that the secret reads or a path of `watch` changes. When it fails, the last good values stay.
   */
  command?: Command
  /**
   * What `command` prints: `NAME=VALUE` lines, an object of names and values in JSON or YAML, or `{ key }`: all of it is the value of that
   * name, without the line end behind it. Default: `'dotenv'`.
   */
  format?: 'dotenv' | 'json' | 'yaml' | { key: string }
  /** Globs of what makes `command` run again, relative to `cwd`. */
  watch?: string | readonly string[]
  /** Working folder of `command`, relative to this file. Default: the folder of this file. */
  cwd?: string
  /** Seconds after which `command` counts as failed. Default: 60. */
  timeout?: number
}

/** A Secret of the cluster. */
export interface SecretSource {
  namespace: string
  name: string
  /** Only these of its keys. Default: all. */
  keys?: readonly string[]
}

/** How a container is asked whether it is ready: by one of `exec`, `tcp` and `http`. Times are in whole seconds. */
export type ProbeOptions = {
  /** Pause between two questions to one that has been ready. Default: 10. */
  period?: number
  /** The same until it is ready for the first time. Default: 1. */
  startPeriod?: number
  /** Time for one answer. Default: 5. */
  timeout?: number
  /** So many bad answers in a row make it unready. Default: 3. */
  failures?: number
} & (
  | {
      /** This command ends with 0 in the container. */
      exec: Command
    }
  | {
      /** This port, by name or number, accepts connections. */
      tcp: string | number
    }
  | {
      /** This path, such as `'/healthz'`, is answered with a status from 200 to 399. */
      http: string
      /** The port by name or number. Default: the first. */
      port?: string | number
    }
)

/** How an app is reached from outside of the cluster. */
export interface ExposeOptions<Port extends string = string> {
  /** Such as `'shop.example.com'`. Default: on OpenShift the cluster makes one; an Ingress takes any host. */
  host?: string
  /** Only this path and what is below it. Default: `/`. */
  path?: string
  /** The port by its name. Default: the first. */
  port?: Port
  /**
   * `true`: by HTTPS, with the certificate that the cluster's router or ingress controller has. A name: with that of this Secret of the
   * namespace (type `kubernetes.io/tls`; for Routes since OpenShift 4.19). Default: by HTTP.
   */
  tls?: boolean | string
  /** Class of the Ingress. Default: that of the cluster. */
  ingressClass?: string
  /** For the ingress controller. */
  annotations?: Readonly<Record<string, string>>
}

/** What an app's own ServiceAccount is. */
export interface ServiceAccountOptions {
  /** What it may do in its namespace, as rules of a Role. You can only give what you may do yourself. */
  rules?: readonly AccessRule[]
  /** Such as those by which clouds know it. */
  annotations?: Readonly<Record<string, string>>
  /** Whether its pods find its token in a file. Default: `true` with `rules`, else `false`. */
  token?: boolean
}

/** A rule of a Role. */
export interface AccessRule {
  /** API groups. Default: `''`, the core group. */
  apiGroups?: readonly string[]
  /** Such as `['pods', 'configmaps']`. */
  resources: readonly string[]
  /** Such as `['get', 'list', 'watch']`. */
  verbs: readonly string[]
  /** Only objects with these names. Default: all. */
  resourceNames?: readonly string[]
}

export interface PodOptions {
  /** What it is promised, as Kubernetes quantities. Default: `{ cpu: '10m', memory: '32Mi' }`, or what the namespace's LimitRange says. */
  requests?: { cpu?: string; memory?: string }
  /** What it may use at most, as Kubernetes quantities. Default: `{ cpu: '2', memory: '2Gi' }`, or what the namespace's LimitRange says. */
  limits?: { cpu?: string; memory?: string }
  /** Seconds that it is given to end. Default: 5. */
  stopTimeout?: number
  /** Host names that it knows beside those of the cluster: name to IP address. */
  hosts?: Readonly<Record<string, string>>
  /** Its own host name. Default: the pod's name. */
  hostname?: string
  /** Group that its volumes are made to belong to, and its processes are members of: for images whose user is not root. */
  fsGroup?: number
  /** Linux capabilities that it has more, or less, than its image gets by default. */
  capabilities?: { add?: readonly string[]; drop?: readonly string[] }
  /** Its root file system cannot be written. Live sync then reaches volumes only. */
  readOnly?: boolean
  /** Its standard input stays open. */
  stdin?: boolean
  /** It has a terminal. */
  tty?: boolean
}

export interface ProcessOptions {
  /** Runs once before the first start, such as `'npm ci'`. */
  prepare?: Command
  /** The app itself. */
  command: Command
}

/** The services of Compose files, as apps. Made by `compose`; spread it into `resources`. */
export interface Compose extends ReadonlyArray<App> {
  /** The app of a service, by the name that the file has for it. */
  service(name: string): App
}

export interface ComposeOptions {
  /** Only these services, and what they depend on. Default: all whose profiles are active. */
  services?: readonly string[]
  /** Services to leave out. Whoever depends on one must say `required: false`. */
  except?: readonly string[]
  /** Profiles that are active, beside those of `COMPOSE_PROFILES`. `'*'`: all. */
  profiles?: readonly string[]
  /** More live rules for the image of a service, beside those of `develop.watch` and of mounted folders. Paths are relative to its build context. */
  live?: Readonly<Record<string, readonly LiveRule[]>>
  /** How to run services on this machine, without cluster and Docker; `true`: by the `entrypoint` and `command` of the file. */
  process?: Readonly<Record<string, ProcessOptions | true>>
  /** Settings of `app` for services, over what the file says, such as `{ migrate: { job: true }, web: { labels: ['front'] } }`. */
  apps?: Readonly<Record<string, Partial<AppOptions>>>
}

/** A Kubernetes object written in the Devloopfile. */
export interface InlineObject {
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

/** Settings of the pods of manifests. */
export interface WorkloadOptions extends GraphOptions {
  /**
   * Ports of this machine that lead to its pod: a number for the container port of that number, or `{ containerPort: local }`, or
   * `{ containerPort: { local, fallback: 'next-free' } }`.
   */
  forward?: number | Readonly<Record<number, number | ForwardOptions>>
  /** `'ignore'`: it counts as ready once it is applied, whatever its pods say. Default: they must be Ready, and Jobs done. */
  readiness?: 'ignore'
}

/** Where the images of this project stand in Kubernetes objects. */
export interface ImageUseOptions {
  /**
   * Images of this project that the objects use: a reference to their name, with any registry and tag, becomes what was built. Looked
   * at are the containers of every kind that bears pods.
   */
  images?: readonly Image[]
  /** Where objects of other kinds, such as custom resources, hold images. */
  imageFields?: readonly ImageField[]
  /** Replace references also in the environment of containers, where they are a variable's whole value: `true`, or the names of variables. */
  imageEnv?: boolean | readonly string[]
}

/** Where objects of a kind hold an image. */
export interface ImageField {
  /** Such as `'Runner'`. */
  kind: string
  /** Only of this version, such as `'ci.example.com/v1'`. Default: of any. */
  apiVersion?: string
  /** Names with dots between them, such as `'spec.image'`; `[*]` behind one stands for each item of a list: `'spec.steps[*].image'`. */
  path: string
  /** Where an object at `path` holds the reference in two halves: the name of the one with registry and repository. */
  repository?: string
  /** The name of the other half, for tag or digest. */
  tag?: string
}

export interface KustomizeOptions extends WorkloadOptions, ImageUseOptions {
  /** More arguments of `kustomize build`, such as `'--enable-helm'`. */
  flags?: readonly string[]
}

export interface HelmOptions extends WorkloadOptions, ImageUseOptions {
  /** Folder or archive of the chart, relative to this file; with `repo` its name there; or `oci://...`. */
  chart: string
  /** Address of the chart repository, such as `https://charts.example.com`. */
  repo?: string
  /** Version of a chart that is not local, or a range of them. Default: the newest. */
  version?: string
  /** Whether the registry of an `oci://` chart has no TLS. Default: false. */
  plainHttp?: boolean
  /** Values: files relative to this file, objects, or several of both; later ones win. */
  values?: string | ValuesObject | readonly (string | ValuesObject)[]
  /** Single values by their path, such as `{ 'image.tag': 'v1' }`. They win over `values`. */
  set?: Readonly<Record<string, string | number | boolean>>
  /** Name of the release. Default: the name of the resource. */
  releaseName?: string
  /** `'SERVICE:PORT'`: where what the chart makes answers. It then has `address`, `host` and `port`, as an app. */
  address?: string
  /** Namespace of the release. Default: that of the project. */
  namespace?: string
  /** What `.Capabilities.KubeVersion` says. Default: the version of the cluster. */
  kubeVersion?: string
  /** What `.Capabilities.APIVersions` has beside what Kubernetes itself serves, such as `'monitoring.coreos.com/v1'`. */
  apiVersions?: readonly string[]
  /** Whether to apply what is in the `crds` folder of the chart. Default: true. */
  crds?: boolean
  /** Whether to run `helm dependency build` when a local chart lacks what it depends on. Default: true. */
  dependencies?: boolean
  /**
   * Let Helm itself install, upgrade and uninstall the chart: a release that `helm list` shows, with its hooks and its history. Default: devloop
   * applies what `helm template` gives, like `manifests`.
   */
  release?: boolean | ReleaseOptions
}

/** The two ways of a resource. */
export interface EitherOptions<L extends Resource, R extends Resource> {
  /** Makes it from source. */
  local: () => L
  /** Makes it of what is released. */
  remote: () => R
  /** Which one is taken when nobody says. Default: `'remote'`. */
  default?: 'local' | 'remote'
}

export interface ReleaseOptions {
  /** Name of the release. Default: `releaseName`, else the name of the resource. */
  name?: string
  /** Seconds that Helm waits for a hook to end. Default: 300. */
  timeout?: number
}

/** Values of a chart written in the Devloopfile: plain data. */
export interface ValuesObject {
  readonly [key: string]: unknown
}

export interface CustomOptions extends WorkloadOptions {
  /**
   * Puts everything into the cluster; can be repeated. It finds `KUBECONFIG` (with the guarded cluster and nothing else),
   * `DEVLOOP_NAMESPACE`, `DEVLOOP_PROJECT`, `DEVLOOP_RESOURCE`, and the built images as `DEVLOOP_IMAGES` (JSON: name to reference) and `DEVLOOP_IMAGE_0`, `DEVLOOP_IMAGE_1` and
   * so on in the order of `images`. What it prints on stdout is the YAML (or JSON) of the objects that it applied, unless `selector` is given.
   */
  apply: Command
  /** Deletes it all again: when the resource leaves the Devloopfile, and at `devloop down`. Default: nothing is deleted. */
  delete?: Command
  /** Globs of what applies it again, relative to `cwd`. */
  watch?: string | readonly string[]
  /** Images of this project that it uses. A new one applies it again. */
  images?: readonly Image[]
  /** Labels of its pods, for commands that print no objects. */
  selector?: Readonly<Record<string, string>>
  /** Environment, beside that of devloop itself. */
  env?: Readonly<Record<string, string | number | boolean>>
  /** Working folder, relative to this file. Default: the folder of this file. */
  cwd?: string
  /** Seconds after which a command counts as failed. Default: 300. */
  timeout?: number
}

export interface AttachOptions extends WorkloadOptions {
  /** Name of the resource: lower-case letters, digits and `-`. Default: that of the workload. */
  name?: string
  /** Namespace of the workload. Default: that of the project. */
  namespace?: string
  /**
   * The container of its pods that files are written into. Default: the one that the pod says is the default
   * (`kubectl.kubernetes.io/default-container`), else the only one.
   */
  container?: string
  /** Folder that the paths of `live` are relative to, relative to this file. Default: the folder of this file. */
  context?: string
  /**
   * What a changed file of the context leads to; what no `sync` covers leads to nothing. `restart` needs a `signal`, and `rebuildOn` is
   * refused: devloop neither started nor builds what runs there. Default: nothing is written, and the workload is only shown.
   */
  live?: readonly LiveRule[]
  /**
   * `true` = on first contact, all files that `sync` covers are compared with what the container holds, and what differs is copied.
   * `false` = the container is taken to hold the context as it is when devloop first sees it, and only later changes are copied. Default: `true`.
   */
  initialSync?: boolean
}

export interface ManifestsOptions extends WorkloadOptions, ImageUseOptions {
  /**
   * Make each workload (Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, Pod) a resource of its own, named after it.
   * The other objects stay in one resource with the given name, which the workloads do not wait for. Give an object to set
   * `forward` and `needs` for single workloads: `{ web: { forward: 8080 } }`.
   */
  workloads?: boolean | Readonly<Record<string, WorkloadOptions>>
}

export interface LocalOptions extends GraphOptions {
  /** Runs to its end: at the start, and again when a watched path changes. At least one of `run` and `serve` is needed. */
  run?: Command
  /** Keeps running. It is started again after each `run`; without `run`, when a watched path changes. */
  serve?: Command
  /** Globs of what starts it again, relative to `cwd`. */
  watch?: string | readonly string[]
  /** Port of this machine that `serve` listens on: without `ready`, it is ready when it accepts connections there. */
  port?: number
  /** When `serve` is ready. Default: when it accepts connections on `port`; without `port`, once started. */
  ready?: ReadyOptions
  /**
   * Whether a `serve` that ended by itself is started again, after 1 s at first and 30 s at most: `'always'`, `'on-failure'` (unless its
   * exit code is 0), or `'never'`. Its end is shown in any case. Default: `'never'`: a save or a trigger starts it.
   */
  restart?: 'always' | 'on-failure' | 'never'
  /** Environment, beside that of devloop itself. */
  env?: Env
  /** Working folder, relative to this file. Default: the folder of this file. */
  cwd?: string
}

/** When a `serve` is ready: one of `http`, `tcp`, `exec` and `log`. Times are in seconds. */
export type ReadyOptions = ReadyCheck & {
  /** Pause before the first question. Default: 0. */
  delay?: number
  /** Pause between two questions to one that was ready; one that starts is asked more often. Default: 10. */
  period?: number
  /** Time for one answer. Default: 5. */
  timeout?: number
  /** Good answers in a row that make it ready. Default: 1. */
  successes?: number
  /** Bad answers in a row that make it unready again. Default: 3. */
  failures?: number
  /** Time from the start in which it must have been ready; after it, that is an error. Default: 60. */
  within?: number
}

export type ReadyCheck =
  | {
      /** A path on `port`, such as `'/healthz'`, or a whole address: it answers with a status from 200 to 399. */
      http: string
    }
  | {
      /** It accepts connections on this port of 127.0.0.1. */
      tcp: number
    }
  | {
      /** This command, in the same folder and environment, ends with 0. */
      exec: Command
    }
  | {
      /** It has printed a line that this regular expression matches, such as `'listening on .*:5173'`. */
      log: string
    }
