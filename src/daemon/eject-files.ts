// Ejected objects as files: YAML documents, or a kustomization with what it generates. Pure.
import { isUtf8 } from 'node:buffer'
import { stringify } from 'yaml'
import type { KubeObject } from '../model/plan.js'

export interface EjectedResource {
  readonly name: string
  /** Secrets among them hold placeholders. */
  readonly objects: readonly KubeObject[]
}

export interface EjectedImage {
  /** As it stands in the objects, without a tag. */
  readonly name: string
  /** What is to run. */
  readonly ref: string
}

export interface EjectedFile {
  /** Relative, with `/`. */
  readonly path: string
  readonly content: string | Buffer
}

/** What stands on others comes after them. */
const order = ['ServiceAccount', 'Role', 'RoleBinding', 'ConfigMap', 'PersistentVolumeClaim', 'Service', 'Deployment', 'Job']

/** Not one of the endings that `kubectl apply -f FOLDER` takes: what it holds is no real value. */
export const secretsFile = 'secrets.yaml.template'

const secretsHead = `# Secrets that the objects beside this file take values from. devloop does not write values down: put in what stands in <>,
# or let your secret store make Secrets of these names with these keys.
`

/** One file for each resource. @param head what made them, as lines of comment */
export function asYaml(resources: readonly EjectedResource[], head: string): readonly EjectedFile[] {
  return [
    ...resources.flatMap(({ name, objects }) => {
      const plain = sorted(objects).filter(({ kind }) => kind !== 'Secret')
      return plain.length > 0 ? [{ path: `${name}.yaml`, content: head + documents(plain) }] : []
    }),
    ...secretsOf(resources),
  ]
}

/** A base: a file for each resource, ConfigMaps from files, and the images by name. */
export function asKustomize(
  resources: readonly EjectedResource[],
  images: readonly EjectedImage[],
  head: string,
): readonly EjectedFile[] {
  const files = asYaml(
    resources.map(({ name, objects }) => ({ name, objects: objects.filter(({ kind }) => kind !== 'ConfigMap') })),
    head,
  )
  const maps = resources.flatMap(({ objects }) => objects.filter(({ kind }) => kind === 'ConfigMap')).map(generatorOf)
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: files.filter(({ path }) => path !== secretsFile).map(({ path }) => path),
    ...(maps.length > 0 ? { configMapGenerator: maps.map(({ generator }) => generator) } : {}),
    ...(images.length > 0 ? { images: images.map(imageOf) } : {}),
  }
  return [{ path: 'kustomization.yaml', content: head + yaml(kustomization) }, ...files, ...maps.flatMap((one) => one.files)]
}

const yaml = (value: unknown): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })

const documents = (objects: readonly KubeObject[]): string => objects.map(yaml).join('---\n')

const rank = ({ kind }: KubeObject): number => (order.includes(kind) ? order.indexOf(kind) : order.length)
const sorted = (objects: readonly KubeObject[]): readonly KubeObject[] => objects.toSorted((a, b) => rank(a) - rank(b))

function secretsOf(resources: readonly EjectedResource[]): readonly EjectedFile[] {
  const secrets = resources.flatMap(({ objects }) => objects.filter(({ kind }) => kind === 'Secret'))
  return secrets.length > 0 ? [{ path: secretsFile, content: secretsHead + documents(secrets) }] : []
}

/** Values that are one short line stand in the kustomization itself; others are files, as kustomize would change them. */
const isLiteral = (text: string): boolean => /^[\x20-\x7e]{0,200}$/.test(text) && !/^["']|["']$/.test(text)

function generatorOf({ metadata: { name, labels }, data, binaryData }: KubeObject): {
  readonly generator: object
  readonly files: readonly EjectedFile[]
} {
  const texts = Object.entries((data ?? {}) as Record<string, string>).map(([key, text]) => [key, Buffer.from(text)] as const)
  const others = Object.entries((binaryData ?? {}) as Record<string, string>).map(
    ([key, text]) => [key, Buffer.from(text, 'base64')] as const,
  )
  const literals: string[] = []
  const files: EjectedFile[] = []
  for (const [key, content] of [...texts, ...others]) {
    if (isUtf8(content) && isLiteral(content.toString())) literals.push(`${key}=${content.toString()}`)
    else files.push({ path: `files/${name}/${key}`, content })
  }
  return {
    generator: {
      name,
      ...(literals.length > 0 ? { literals } : {}),
      ...(files.length > 0 ? { files: files.map(({ path }) => `${path.slice(path.lastIndexOf('/') + 1)}=${path}`) } : {}),
      ...(labels ? { options: { labels } } : {}),
    },
    files,
  }
}

/** The parts of a reference, as kustomize names them. */
function imageOf({ name, ref }: EjectedImage): object {
  const [bare = '', digest] = ref.split('@')
  const [, newName = bare, newTag] = /^(.+?)(?::([^:/]+))?$/.exec(bare) ?? []
  return {
    name,
    ...(newName === name ? {} : { newName }),
    ...(digest === undefined ? (newTag === undefined ? {} : { newTag }) : { digest }),
  }
}
