// An app as the outer loop deploys it: the same objects as in the inner loop, without what only that needs. Pure.
import type { BuildRecord } from '../../../model/build-record.js'
import type { ConfigsByName } from '../../../model/config-values.js'
import {
  textsOf,
  type Addressed,
  type AppSpec,
  type KubeObject,
  type ResourceSpec,
  type SealedTexts,
} from '../../../model/plan.js'
import type { ExposingKind } from '../deploy/app-expose.js'
import { renderApp } from '../deploy/render-app.js'
import { generatedNames } from '../deploy/resolve-text.js'
import { released } from './released.js'

export interface EjectAppInput {
  readonly app: AppSpec
  /** Name of the project. */
  readonly project: string
  /** What of the plan has an address. */
  readonly apps: Readonly<Record<string, Addressed>>
  /** What its container is started from. */
  readonly image: string
  /** User of that image, as far as that is known; '' = it is not. */
  readonly user: string
  readonly exposing: ExposingKind
  /** Content of the files that its volumes hold, by path on this machine. */
  readonly files: ReadonlyMap<string, Buffer>
  /** Values of configs; of secret ones what stands for them. */
  readonly configs: ConfigsByName
}

/** What stands for values that are shown to nobody, by their names. */
export function placeholders(resource: ResourceSpec): {
  readonly generated: Readonly<Record<string, string>>
  readonly sealed: SealedTexts
} {
  const sealed = textsOf(resource)
    .flat()
    .flatMap((part) => (part.kind === 'sealed' ? [[part.id, '<secret>'] as const] : []))
  return {
    generated: Object.fromEntries([...generatedNames(resource)].map((name) => [name, `<${name}>`])),
    sealed: Object.fromEntries(sealed),
  }
}

/** Its objects in the order in which they are applied; its Secrets hold placeholders. @throws DevloopError devloopfile/invalid, config/value */
export function ejectApp({ app, project, apps, image, user, exposing, files, configs }: EjectAppInput): readonly KubeObject[] {
  const { objects } = renderApp({
    app: forRelease(app),
    owner: { project, instance: project, resource: app.name },
    namespace: '',
    apps,
    images: 'built' in app.image ? { [app.image.built]: recordOf(app.image.built, image, user) } : {},
    restartable: new Set(),
    ...placeholders(app),
    hashKey: '',
    configs,
    files: hidden(app, files),
    storage: { hasDefaultClass: undefined },
    place: { exposing },
  })
  return objects.map(({ object }) => released(object, { app, project }))
}

/** Without what is for developers; asked whether it is ready as pods are that nobody restarts in place. */
function forRelease({ debug: _debug, process: _process, ...app }: AppSpec): AppSpec {
  const [port] = Object.keys(app.ports)
  if (app.probe !== undefined || app.job || port === undefined) return app
  return { ...app, probe: { check: { kind: 'tcp', port }, period: 10, startPeriod: 1, timeout: 1, failures: 3 } }
}

/** Files of Secrets are named, and not shown. */
function hidden(app: AppSpec, files: ReadonlyMap<string, Buffer>): ReadonlyMap<string, Buffer> {
  const shown = new Map(files)
  for (const volume of app.volumes ?? []) {
    if (volume.kind !== 'files' || !volume.secret) continue
    for (const { from, to } of volume.files)
      if ('file' in from) shown.set(from.file, Buffer.from(`<content of ${to || volume.path}>`))
  }
  return shown
}

const recordOf = (name: string, ref: string, user: string): BuildRecord => ({
  image: name,
  runtime: 'kubernetes',
  digest: '',
  ref,
  inputs: '',
  tree: new Map(),
  config: { entrypoint: [], cmd: [], workingDir: '', user, shell: true },
  builtAt: 0,
})
