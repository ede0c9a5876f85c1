// What is there already for running the project: Compose files, manifests, charts, kustomizations. They are kept and used.
import { posix } from 'node:path'
import { parse } from 'yaml'
import { serviceKinds, serviceSigns, type ServiceKind } from './service-signs.js'
import { folderAbove, inFolder, isWithin, type SourceTree } from './source-tree.js'

export interface Existing {
  readonly compose?: ComposeFile
  readonly manifests: readonly Objects[]
  readonly charts: readonly Objects[]
  readonly kustomizations: readonly Objects[]
}

/** Kubernetes objects in a folder. */
export interface Objects {
  /** Name for the resource, before it is made unique. */
  readonly name: string
  readonly folder: string
  /** A file that proves it. */
  readonly proof: string
  /** Repositories of the images that they use, without registry and tag, in order. */
  readonly images: readonly string[]
}

export interface ComposeFile {
  readonly path: string
  readonly services: readonly ComposeServiceFound[]
}

export interface ComposeServiceFound {
  readonly name: string
  /** Folder of its build context; undefined: it is not built. */
  readonly context?: string
  /** It is a service of this kind. */
  readonly kind?: ServiceKind
  /** Whether it says on which port it listens. */
  readonly saysPort: boolean
  /** Its environment, as far as it is plain text. */
  readonly environment: Readonly<Record<string, string>>
}

export function findExisting(tree: SourceTree): Existing {
  const charts = tree.paths
    .filter(
      (path) =>
        /(^|\/)Chart\.yaml$/.test(path) &&
        !/(^|\/)charts\/.*\/?Chart\.yaml$/.test(path.replace(/^charts\/[^/]+\/Chart\.yaml$/, '')),
    )
    .map((proof) => objectsIn(tree, folderOf(proof), proof))
  const kustomizations = chosenKustomizations(
    tree.paths
      .filter(
        (path) =>
          /(^|\/)(kustomization\.ya?ml|Kustomization)$/.test(path) && !charts.some(({ folder }) => isWithin(path, folder)),
      )
      .map((proof) => objectsIn(tree, folderOf(proof), proof)),
    tree,
  )
  const taken = [...charts, ...kustomizations.all].map(({ folder }) => folder)
  const folders = tree.folders.filter((folder) => !noDeployment.test(folder) && !taken.some((one) => isWithin(folder, one)))
  const manifests = folders.flatMap((folder) => {
    const proof = tree
      .files(folder)
      .filter((name) => /\.ya?ml$/.test(name))
      .map((name) => inFolder(folder, name))
      .find((path) => workload.test(tree.read(path) ?? ''))
    return proof === undefined ? [] : [objectsIn(tree, folder, proof)]
  })
  const compose = composeFile(tree)
  return { ...(compose ? { compose } : {}), manifests, charts, kustomizations: kustomizations.used }
}

/** Manifests in these are samples. */
const noDeployment = /(^|\/)(tests?|__tests__|fixtures?|examples?|samples?|docs?|testdata|templates?)(\/|$)/

const workload = /^kind:\s*(Deployment|StatefulSet|DaemonSet|Job|CronJob|Pod|Service)\s*$/m

const folderOf = (path: string): string => folderAbove(path) ?? ''

function objectsIn(tree: SourceTree, folder: string, proof: string): Objects {
  const texts = tree.paths
    .filter((path) => isWithin(path, folder) && /\.(ya?ml|tpl)$/.test(path))
    .map((path) => tree.read(path) ?? '')
  const images = new Set<string>()
  for (const text of texts)
    for (const [, reference = ''] of text.matchAll(/^\s*-?\s*(?:image|repository):[ \t]*["']?([a-z0-9][^\s"'#{}]*)/gm)) {
      const name = repositoryOf(reference)
      if (name !== '') images.add(name)
    }
  return { name: lastPart(folder), folder, proof, images: [...images] }
}

/** `registry.example.com/shop/api:1.2` is `shop/api`. */
function repositoryOf(reference: string): string {
  const bare = reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '')
  const [first = '', ...rest] = bare.split('/')
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? rest.join('/') : bare
}

/** Overlays bring their base along: of several, the one for development. */
function chosenKustomizations(
  all: readonly Objects[],
  tree: SourceTree,
): { readonly used: readonly Objects[]; readonly all: readonly Objects[] } {
  const usedByOthers = new Set(
    all.flatMap(({ folder, proof }) =>
      [...(tree.read(proof) ?? '').matchAll(/^\s*-\s+["']?(\.{1,2}\/?[^\s"'#]*|[^\s"'#:]+)/gm)].map(([, path = '']) =>
        posix.normalize(inFolder(folder, path)).replace(/\/$/, ''),
      ),
    ),
  )
  const tops = all.filter(({ folder }) => !usedByOthers.has(folder))
  const groups = new Map<string, Objects[]>()
  for (const one of tops) {
    const group = /(^|\/)overlays\/[^/]+$/.test(one.folder) ? folderOf(folderOf(one.folder)) : one.folder
    groups.set(group, [...(groups.get(group) ?? []), one])
  }
  const used = [...groups.values()].map(
    (group) =>
      ['dev', 'development', 'local'].flatMap((name) => group.filter(({ folder }) => lastPart(folder) === name))[0] ??
      (group[0] as Objects),
  )
  // the images of the base are theirs
  const images = [...new Set(all.flatMap((one) => one.images))]
  return { used: used.map((one) => ({ ...one, images: used.length === 1 ? images : one.images })), all }
}

const lastPart = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

function composeFile(tree: SourceTree): ComposeFile | undefined {
  const path = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'].find((name) => tree.has(name))
  const services = path === undefined ? undefined : record(record(parsed(tree.read(path)))?.services)
  if (path === undefined || !services) return undefined
  return {
    path,
    services: Object.entries(services).map(([name, value]) => {
      const service = record(value) ?? {}
      const build =
        typeof service.build === 'string' ? service.build : (record(service.build)?.context ?? (service.build ? '.' : undefined))
      const image = typeof service.image === 'string' ? lastPart(repositoryOf(service.image)) : ''
      const kind = build === undefined ? serviceKinds.find((one) => image === one || serviceImages[one].test(image)) : undefined
      return {
        name,
        ...(typeof build === 'string' ? { context: posix.normalize(build).replace(/^\.$|\/$/, '') } : {}),
        ...(kind ? { kind } : {}),
        saysPort: service.ports !== undefined || service.expose !== undefined,
        environment: plainEnvironment(service.environment),
      }
    }),
  }
}

const serviceImages: Readonly<Record<ServiceKind, RegExp>> = {
  postgres: /^(postgres|postgresql|postgis|pgvector|timescaledb)$/,
  mysql: /^(mysql|mariadb)$/,
  mongodb: /^(mongo|mongodb)$/,
  redis: /^(redis|valkey|redis-stack.*)$/,
  rabbitmq: /^rabbitmq$/,
  kafka: /^(kafka|cp-kafka|redpanda)$/,
  minio: /^minio$/,
}

/** `KEY=value` lines or a mapping; what is filled in by Compose is left out. */
function plainEnvironment(value: unknown): Readonly<Record<string, string>> {
  const pairs: (readonly [string, unknown])[] = Array.isArray(value)
    ? value.map((line) => [String(line).replace(/=.*/s, ''), String(line).replace(/^[^=]*=?/, '')] as const)
    : Object.entries(record(value) ?? {})
  return Object.fromEntries(
    pairs.flatMap(([name, text]) =>
      (typeof text === 'string' || typeof text === 'number') && !String(text).includes('$')
        ? [[name, String(text)] as const]
        : [],
    ),
  )
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : parse(text)
  } catch {
    return undefined
  }
}

const record = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined

/** Names of images that are services, and not built here. */
export const isServiceImage = (repository: string): boolean =>
  serviceKinds.some((kind) => serviceImages[kind].test(lastPart(repository)) || serviceSigns[kind].name === lastPart(repository))
