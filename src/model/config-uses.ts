// Who takes values from which config. Pure.
import { isSecretText, textsOf, type AppSpec, type ConfigSpec, type ManifestObject, type ResourceSpec } from './plan.js'
import { containersOf, podBearing, type PodTemplate } from './pod-bearing.js'

/** Names of the configs that a declaration refers to as values, each once. */
export function configsOf(spec: ResourceSpec): readonly string[] {
  const texts = textsOf(spec).flatMap((text) => text.flatMap((part) => (part.kind === 'config' ? [part.config] : [])))
  if (spec.kind !== 'app') return [...new Set(texts)]
  const mounted = (spec.volumes ?? []).flatMap((volume) => (volume.kind === 'config' ? [volume.config] : []))
  return [...new Set([...(spec.envFrom ?? []).map(({ config }) => config), ...mounted, ...texts])]
}

/** Whether an app has secret values, in texts or by configs: hashes of them are on its pods. */
export const holdsSecrets = (app: AppSpec): boolean =>
  textsOf(app).some(isSecretText) ||
  (app.envFrom ?? []).some(({ secret }) => secret) ||
  (app.volumes ?? []).some((volume) => (volume.kind === 'config' || volume.kind === 'files') && volume.secret)

/** Names of the ConfigMaps and Secrets that the pods of a template take values from. */
export interface NamedInPods {
  readonly configMaps: ReadonlySet<string>
  readonly secrets: ReadonlySet<string>
}

interface Refs {
  readonly configMapRef?: { readonly name?: string }
  readonly secretRef?: { readonly name?: string }
  readonly valueFrom?: {
    readonly configMapKeyRef?: { readonly name?: string }
    readonly secretKeyRef?: { readonly name?: string }
  }
}

interface VolumeRefs {
  readonly configMap?: { readonly name?: string }
  readonly secret?: { readonly secretName?: string; readonly name?: string }
  readonly projected?: { readonly sources?: readonly VolumeRefs[] }
}

/** What a pod template names, in variables, `envFrom` and volumes. What is not of the expected shape is passed over. */
export function namedInPods(template: PodTemplate): NamedInPods {
  const configMaps = new Set<string>()
  const secrets = new Set<string>()
  const add = (names: Set<string>, name: unknown): void => void (typeof name === 'string' && names.add(name))
  for (const container of containersOf(template)) {
    for (const entry of [...listOf(container.envFrom), ...listOf(container.env)] as Refs[]) {
      add(configMaps, entry?.configMapRef?.name ?? entry?.valueFrom?.configMapKeyRef?.name)
      add(secrets, entry?.secretRef?.name ?? entry?.valueFrom?.secretKeyRef?.name)
    }
  }
  const volume = (one: VolumeRefs): void => {
    add(configMaps, one?.configMap?.name)
    add(secrets, one?.secret?.secretName ?? one?.secret?.name)
    for (const source of listOf(one?.projected?.sources) as VolumeRefs[]) volume(source)
  }
  for (const one of listOf(template.spec.volumes) as VolumeRefs[]) volume(one)
  return { configMaps, secrets }
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Of some configs, the names of those that workloads name as ConfigMap or Secret. */
export function configsNamedBy(
  objects: readonly ManifestObject[],
  configs: readonly Pick<ConfigSpec, 'name' | 'secret'>[],
): readonly string[] {
  if (configs.length === 0) return []
  const named = objects.flatMap(({ object }) => {
    const bearing = podBearing(object)
    return bearing ? [namedInPods(bearing.template)] : []
  })
  return configs.flatMap(({ name, secret }) =>
    named.some(({ configMaps, secrets }) => (secret ? secrets : configMaps).has(name)) ? [name] : [],
  )
}
