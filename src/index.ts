// The API of Devloopfiles. Light: it runs in the worker that evaluates a Devloopfile, and imports nothing but Node.
export { defineDevloop } from './devloopfile/api/define-devloop.js'
export { ignore, image, rebuildOn, restart, run, sync } from './devloopfile/api/image.js'
export { readFile, readJson, readYaml } from './devloopfile/api/read-file.js'
export { app, local, manifests } from './devloopfile/api/resources.js'
export { generated, text } from './devloopfile/api/text.js'
export type {
  App,
  AppOptions,
  CiOptions,
  ClusterOptions,
  Command,
  Context,
  Devloopfile,
  Endpoint,
  Env,
  Image,
  ImageOptions,
  InlineObject,
  LiveRule,
  Local,
  LocalOptions,
  Manifests,
  ManifestsOptions,
  ProcessOptions,
  Project,
  PruneOptions,
  ReadyCheck,
  ReadyOptions,
  Resource,
  RestartOptions,
  RunOptions,
  SettingsOptions,
  Text,
  WorkloadOptions,
} from './devloopfile/api/types.js'
