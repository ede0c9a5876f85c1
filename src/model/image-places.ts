// Where Kubernetes objects hold references of images: containers, variables where asked, fields of custom resources told by path.
import { containersOf, podBearing } from './pod-bearing.js'
import type { ImageField, ImageUse, KubeObject } from './plan.js'

/** One place that holds a reference. */
export interface ImagePlace {
  readonly reference: string
  /** Put another reference there. Changes the object. */
  set(reference: string): void
}

/** The places of an object beside the images of its containers: variables and told fields. */
export function otherImagePlaces(object: KubeObject, use: ImageUse): readonly ImagePlace[] {
  const fields = (use.imageFields ?? []).filter((field) => concerns(field, object)).flatMap((field) => fieldPlaces(object, field))
  return [...fields, ...(use.imageEnv ? variablePlaces(object, use.imageEnv) : [])]
}

/** Every reference that an object holds where devloop looks for them. */
export function imageReferencesOf(object: KubeObject, use: ImageUse): readonly string[] {
  const bearing = podBearing(object)
  const images = bearing ? containersOf(bearing.template).flatMap(({ image }) => (typeof image === 'string' ? image : [])) : []
  return [...images, ...otherImagePlaces(object, use).map(({ reference }) => reference)]
}

const concerns = (field: ImageField, object: KubeObject): boolean =>
  field.kind === object.kind && (field.apiVersion === undefined || field.apiVersion === object.apiVersion)

function variablePlaces(object: KubeObject, names: true | readonly string[]): readonly ImagePlace[] {
  const bearing = podBearing(object)
  return (bearing ? containersOf(bearing.template) : []).flatMap(({ env }) =>
    (Array.isArray(env) ? (env as { name: string; value?: unknown }[]) : []).flatMap((variable) =>
      typeof variable.value === 'string' && (names === true || names.includes(variable.name))
        ? { reference: variable.value, set: (reference: string) => void (variable.value = reference) }
        : [],
    ),
  )
}

type Fields = Record<string, unknown>

function fieldPlaces(object: KubeObject, { path, repository, tag }: ImageField): readonly ImagePlace[] {
  const steps = path.split('.').filter(Boolean)
  if (repository === undefined) {
    const key = steps.pop() ?? ''
    const list = key.endsWith('[*]')
    return below(object, steps).flatMap((parent): readonly ImagePlace[] => {
      const name = list ? key.slice(0, -3) : key
      const value = parent[name]
      if (!list) return typeof value === 'string' ? [{ reference: value, set: (ref) => void (parent[name] = ref) }] : []
      if (!Array.isArray(value)) return []
      return (value as unknown[]).flatMap((item, index) =>
        typeof item === 'string' ? { reference: item, set: (ref: string) => void (value[index] = ref) } : [],
      )
    })
  }
  return below(object, steps).flatMap((parent): readonly ImagePlace[] => {
    const name = parent[repository]
    if (typeof name !== 'string') return []
    const old = tag === undefined ? undefined : parent[tag]
    const reference = typeof old === 'string' || typeof old === 'number' ? `${name}:${old}` : name
    return [
      {
        reference,
        set(ref) {
          const [left, right] = halves(ref)
          parent[repository] = tag === undefined ? ref : left
          if (tag !== undefined) parent[tag] = right
        },
      },
    ]
  })
}

/** The objects that a path leads to. */
function below(object: unknown, steps: readonly string[]): readonly Fields[] {
  let found: readonly unknown[] = [object]
  for (const step of steps) {
    const name = step.replace(/\[\*\]$/, '')
    found = found.flatMap((one) => {
      const value = isFields(one) ? one[name] : undefined
      return step.endsWith('[*]') ? (Array.isArray(value) ? (value as unknown[]) : []) : [value]
    })
  }
  return found.filter(isFields)
}

/** A reference as registry with repository, and tag or digest. */
function halves(reference: string): readonly [string, string] {
  const at = reference.indexOf('@')
  if (at > 0) return [reference.slice(0, at), reference.slice(at + 1)]
  const colon = reference.lastIndexOf(':')
  return colon > reference.lastIndexOf('/') ? [reference.slice(0, colon), reference.slice(colon + 1)] : [reference, 'latest']
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Where below an object there is a string under a key `image` that a test accepts: for telling what `imageFields` would have to say.
 * @returns the path as `imageFields` writes it; undefined = nowhere
 */
export function findImagePath(value: unknown, accepts: (reference: string) => boolean, path = ''): string | undefined {
  if (Array.isArray(value)) {
    for (const item of value) {
      const found = findImagePath(item, accepts, `${path}[*]`)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (!isFields(value)) return undefined
  for (const [key, item] of Object.entries(value)) {
    const here = path === '' ? key : `${path}.${key}`
    if (key === 'image' && typeof item === 'string' && accepts(item)) return here
    const found = findImagePath(item, accepts, here)
    if (found !== undefined) return found
  }
  return undefined
}
