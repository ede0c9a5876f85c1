// Resources of a project as files for the outer loop. Nothing is written, and no value that is secret is read.
import { readFile, realpath } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createConfigReader } from '../adapters/config/config-reader.js'
import { machineId } from '../adapters/disk/machine-id.js'
import { createStateFiles } from '../adapters/disk/state-files.js'
import { stateDir as userStateDir } from '../adapters/disk/xdg.js'
import { createProcessRunner } from '../adapters/process/process-runner.js'
import { didYouMean, listed } from '../errors/did-you-mean.js'
import { DevloopError } from '../errors/devloop-error.js'
import type { BuildRecord } from '../model/build-record.js'
import { mergeValues, type ConfigValues } from '../model/config-values.js'
import { parseDockerfile } from '../model/dockerfile.js'
import { familiarName, qualifiedName } from '../model/image-names.js'
import { instanceId } from '../model/instance.js'
import { appsOf } from '../model/keys.js'
import { textsOf, type AppSpec, type ConfigSpec, type ImageSpec, type Plan } from '../model/plan.js'
import { loadWithSealed } from './down.js'
import { asKustomize, asYaml, secretsFile, type EjectedFile, type EjectedImage, type EjectedResource } from './eject-files.js'
import { chosen, type PreviewOptions } from './preview.js'

/** `resources`: one at least. */
export interface EjectOptions extends PreviewOptions {
  readonly output: 'yaml' | 'kustomize'
  /** References to run, by the names of images. */
  readonly images: Readonly<Record<string, string>>
  /** What exposed apps become; undefined = what the cluster of the context has. */
  readonly expose?: 'route' | 'ingress'
}

/**
 * The files, in no special order; for the same Devloopfile and options always the same.
 * @param onNote told what somebody has to do before the files can be used
 * @throws DevloopError devloopfile/*, config/*, request/*, usage, and cluster/* where the cluster is asked
 */
export async function ejectFiles(
  options: EjectOptions,
  onNote: (text: string) => void,
  signal: AbortSignal,
): Promise<readonly EjectedFile[]> {
  const file = await realpath(options.file)
  const user = userInfo().username
  const { plan } = await loadWithSealed(file, user, signal, options.args, options.choices)
  const names = withConfigs(plan, ejectable(plan, options.resources))
  checkImages(plan, options.images)
  const instance = instanceId({ devloopfile: file, user, machine: machineId() })
  const stateDir = join(userStateDir(process.env), instance)
  const stateFiles = createStateFiles({ dir: stateDir, project: basename(dirname(file)), instance })
  const records = new Map((await stateFiles.loadRecords('kubernetes')).map((record) => [record.image, record]))
  await stateFiles.close()

  const apps = names.flatMap((name) => appOf(plan, name) ?? [])
  const { ejectApp } = await import('../adapters/kube/eject/eject-app.js')
  const { ejectConfig } = await import('../adapters/kube/eject/eject-config.js')
  const exposing = apps.some(({ expose }) => expose)
    ? await exposingKind(options, plan, { instance, stateDir }, signal)
    : 'Ingress'
  const configs = await configValues(plan, names, onNote, signal)
  const images = await chooseImages(plan, apps, options, records, onNote)
  const resources: EjectedResource[] = []
  for (const name of names) {
    const spec = plan.resources[name]
    if (spec?.kind === 'config') resources.push({ name, objects: [ejectConfig(spec, configs.get(name) ?? new Map(), plan.name)] })
    if (spec?.kind !== 'app') continue
    const built = 'built' in spec.image ? spec.image.built : undefined
    const record = built === undefined ? undefined : records.get(built)
    const image = built === undefined ? '' : imageIn(options.output, images.get(built))
    const { readVolumeFiles } = await import('../adapters/kube/deploy/app-volumes.js')
    const objects = ejectApp({
      app: spec,
      project: plan.name,
      apps: appsOf(plan),
      image,
      user: record?.config.user ?? '',
      exposing,
      files: await readVolumeFiles(spec),
      configs: (config) => configs.get(config),
    })
    resources.push({ name, objects })
  }
  const head = `# Written by \`devloop eject\` of ${listed(names)} in project ${plan.name}; yours to keep and change.\n`
  const files = options.output === 'yaml' ? asYaml(resources, head) : asKustomize(resources, [...images.values()], head)
  if (files.some(({ path }) => path === secretsFile))
    onNote(
      `${secretsFile} names the Secrets that must be there, without their values: fill it in, or let your secret store make them`,
    )
  return files
}

/** What a container of a built image says in the files. */
const imageIn = (output: EjectOptions['output'], image: EjectedImage | undefined): string =>
  (output === 'kustomize' ? image?.name : image?.ref) ?? ''

const appOf = (plan: Plan, name: string): AppSpec | undefined => {
  const spec = plan.resources[name]
  return spec?.kind === 'app' ? spec : undefined
}

/** Only what devloop itself writes objects for: all else stands in files of the user's own. */
function ejectable(plan: Plan, wanted: readonly string[]): readonly string[] {
  const names = chosen(plan, wanted)
  const own = (name: string): boolean => ['app', 'config'].includes(plan.resources[name]?.kind ?? '')
  const other = names.find((name) => !own(name) && wanted.includes(name))
  if (other !== undefined) {
    throw new DevloopError('request/refused', `'${other}' is no app: there is nothing to eject`, {
      why: 'Its manifests, chart or command are yours already.',
      help: 'Use these in the pipeline; `devloop render` prints what they come to.',
    })
  }
  return names.filter(own)
}

/** With the configs that the apps take values from. */
function withConfigs(plan: Plan, names: readonly string[]): readonly string[] {
  const used = names.flatMap((name) => {
    const app = appOf(plan, name)
    if (!app) return []
    const volumes = (app.volumes ?? []).flatMap((volume) => (volume.kind === 'config' ? [volume.config] : []))
    const texts = textsOf(app)
      .flat()
      .flatMap((part) => (part.kind === 'config' ? [part.config] : []))
    return [...(app.envFrom ?? []).map(({ config }) => config), ...volumes, ...texts]
  })
  return [...new Set([...names, ...used])]
}

function checkImages(plan: Plan, images: EjectOptions['images']): void {
  for (const name of Object.keys(images)) {
    if (Object.hasOwn(plan.images, name)) continue
    throw new DevloopError('usage', `there is no image '${name}'`, {
      why: `Images: ${listed(Object.keys(plan.images))}.`,
      help: didYouMean(name, Object.keys(plan.images)),
    })
  }
}

async function exposingKind(
  { expose, context, namespace }: EjectOptions,
  plan: Plan,
  of: { readonly instance: string; readonly stateDir: string },
  signal: AbortSignal,
): Promise<'Route' | 'Ingress'> {
  if (expose) return expose === 'route' ? 'Route' : 'Ingress'
  const { exposingKindOf } = await import('../adapters/kube/eject/exposing-kind.js')
  return exposingKindOf(
    {
      project: plan.name,
      ...of,
      cluster: plan.cluster,
      ...(context === undefined ? {} : { context }),
      ...(namespace === undefined ? {} : { namespace }),
    },
    signal,
  )
}

/** What each built image of the apps stands as. */
async function chooseImages(
  plan: Plan,
  apps: readonly AppSpec[],
  { images }: EjectOptions,
  records: ReadonlyMap<string, BuildRecord>,
  onNote: (text: string) => void,
): Promise<ReadonlyMap<string, EjectedImage>> {
  const built = new Set(apps.flatMap(({ image }) => ('built' in image ? [image.built] : [])))
  const found = new Map<string, EjectedImage>()
  for (const image of built) {
    const spec = plan.images[image]
    if (!spec) continue
    const name = familiarName(image)
    if (spec.pulled) {
      found.set(image, { name, ref: qualifiedName(spec.pulled.ref) })
      continue
    }
    const [given, record] = [images[image], records.get(image)]
    found.set(image, { name, ref: given ?? record?.ref ?? `${name}:latest` })
    if (given !== undefined) continue
    onNote(
      record
        ? `${image} stands as ${record.ref}, the newest build of the inner loop: name what you release by --image ${image}=REFERENCE`
        : `${image} stands as ${name}:latest, for it is not built: name what you release by --image ${image}=REFERENCE`,
    )
    const prod = await prodStage(spec)
    if (prod !== undefined && spec.target !== prod)
      onNote(
        `${image} is built from ${spec.target ? `stage ${spec.target}` : 'the last stage'}; its Dockerfile has a stage ${prod}: build what you release from that (--target ${prod})`,
      )
  }
  return found
}

/** The stage of an image's Dockerfile that is meant for production, by its name. */
async function prodStage({ dockerfile }: ImageSpec): Promise<string | undefined> {
  // what cannot be read has no stage to speak of: a build would say it
  const text = 'inline' in dockerfile ? dockerfile.inline : await readFile(dockerfile.path, 'utf8').catch(() => '')
  return parseDockerfile(text).find(({ stageName }) => /^prod(uction)?$/i.test(stageName ?? ''))?.stageName
}

/** Values of the configs among some resources; of secret ones, what stands for them. */
async function configValues(
  plan: Plan,
  names: readonly string[],
  onNote: (text: string) => void,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ConfigValues>> {
  const { placeholders } = await import('../adapters/kube/eject/eject-app.js')
  const { resolveText } = await import('../adapters/kube/deploy/resolve-text.js')
  const reader = createConfigReader({ processes: createProcessRunner() })
  const found = new Map<string, ConfigValues>()
  for (const name of names) {
    const spec = plan.resources[name]
    if (spec?.kind !== 'config') continue
    const context = {
      apps: appsOf(plan),
      configs: (other: string) => found.get(other),
      who: name,
      at: spec.at,
      ...placeholders(spec),
    }
    const origins = { text: (text: Parameters<typeof resolveText>[0]) => resolveText(text, context), secret: () => new Map() }
    if (!spec.secret) {
      found.set(name, mergeValues(spec, await reader.read(spec, onNote, signal), origins))
      continue
    }
    const { keys, isOpen } = await secretKeys(plan, spec, (one) => reader.read(one, onNote, signal))
    if (isOpen)
      onNote(`secret/${name} may need more keys than ${secretsFile} names: what gives them is only known when it is read`)
    found.set(name, new Map(keys.map((key) => [key, Buffer.from(`<${name}/${key}>`)])))
  }
  return found
}

/** Names of a secret's values as far as they are known without asking who keeps them. */
async function secretKeys(
  plan: Plan,
  spec: ConfigSpec,
  read: (spec: ConfigSpec) => Promise<readonly ConfigValues[]>,
): Promise<{ readonly keys: readonly string[]; readonly isOpen: boolean }> {
  const local = spec.sources.filter(({ kind }) => kind !== 'command' && kind !== 'secret')
  const listedKeys = spec.sources.flatMap((source) =>
    source.kind === 'values'
      ? Object.keys(source.values)
      : source.kind === 'secret'
        ? (source.keys ?? [])
        : source.kind === 'command' && typeof source.format === 'object'
          ? [source.format.key]
          : [],
  )
  const held = (await read({ ...spec, sources: local })).flatMap((values) => [...values.keys()])
  const used = Object.values(plan.resources)
    .flatMap((resource) => textsOf(resource).flat())
    .flatMap((part) => (part.kind === 'config' && part.config === spec.name ? [part.key] : []))
  const isOpen = spec.sources.some(
    (source) =>
      (source.kind === 'secret' && source.keys === undefined) || (source.kind === 'command' && typeof source.format !== 'object'),
  )
  return { keys: [...new Set([...listedKeys, ...held, ...used])].toSorted(), isOpen }
}
