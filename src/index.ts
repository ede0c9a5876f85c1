// The API of Devloopfiles. Light: it runs in the worker that evaluates a Devloopfile, and imports nothing but Node.
export { compose } from './devloopfile/api/compose.js'
export { config, secret } from './devloopfile/api/config.js'
export { defineDevloop } from './devloopfile/api/define-devloop.js'
export { either } from './devloopfile/api/either.js'
export { ignore, image, notify, rebuildOn, restart, run, sync } from './devloopfile/api/image.js'
export { readFile, readJson, readYaml } from './devloopfile/api/read-file.js'
export { app, attach, custom, helm, kustomize, local, manifests } from './devloopfile/api/resources.js'
export { kafka } from './devloopfile/api/services/kafka.js'
export { minio } from './devloopfile/api/services/minio.js'
export { mongodb } from './devloopfile/api/services/mongodb.js'
export { mysql } from './devloopfile/api/services/mysql.js'
export { postgres } from './devloopfile/api/services/postgres.js'
export { rabbitmq } from './devloopfile/api/services/rabbitmq.js'
export { redis } from './devloopfile/api/services/redis.js'
export type {
  Database,
  DatabaseOptions,
  Kafka,
  KafkaOptions,
  Minio,
  MinioOptions,
  RabbitMQ,
  RabbitMQOptions,
  Redis,
  ServiceOptions,
} from './devloopfile/api/services/types.js'
export { generated, text } from './devloopfile/api/text.js'
export type {
  AccessRule,
  App,
  AppOptions,
  AttachOptions,
  Attached,
  BuildSecret,
  CiOptions,
  ClusterOptions,
  Command,
  Compose,
  ComposeOptions,
  Config,
  ConfigOptions,
  Context,
  Custom,
  CustomBuildOptions,
  CustomOptions,
  DebugLanguage,
  DebugOptions,
  Devloopfile,
  EitherOptions,
  EmptyVolume,
  Endpoint,
  Env,
  EnvFile,
  ExposeOptions,
  GraphOptions,
  Helm,
  HelmOptions,
  FilesVolume,
  Image,
  ImageField,
  ImageOptions,
  ImageUseOptions,
  InClusterEngine,
  InlineObject,
  Kustomize,
  KustomizeOptions,
  LiveRule,
  Local,
  LocalOptions,
  Manifests,
  ManifestsOptions,
  ForwardOptions,
  NotifyOptions,
  NotifyRequest,
  ParallelOptions,
  NamedVolume,
  PodOptions,
  ProbeOptions,
  ProcessOptions,
  Project,
  PruneOptions,
  ReadyCheck,
  ReadyOptions,
  RegistryOptions,
  ReleaseOptions,
  Resource,
  ReloadSignal,
  RestartOptions,
  RunOptions,
  SandboxOptions,
  SecretOptions,
  SecretSource,
  ServiceAccountOptions,
  SyncOptions,
  SettingsOptions,
  TenantOptions,
  Text,
  ValuesObject,
  TextVolume,
  Volume,
  WorkloadOptions,
} from './devloopfile/api/types.js'
