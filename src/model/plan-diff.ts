// What differs between two plans, so that a reload touches only that.
import { textsOf, type AppSpec, type ImageSpec, type Plan, type ResourceSpec } from './plan.js'

/** Names, in the order of the plan that holds them. */
export interface NamesDiff {
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

export interface PlanDiff {
  readonly images: NamesDiff
  /** `changed` holds a resource also when only the ports of an app that its texts refer to changed. Changed images do not count. */
  readonly resources: NamesDiff
  /** The project's name or the cluster settings differ: what runs belongs to another place. */
  readonly project: boolean
  /** Nothing differs but positions and the order of the resources. */
  readonly same: boolean
}

type Json = null | undefined | string | number | boolean | readonly Json[] | { readonly [key: string]: Json }

/** Deep equality of plain data; the order of keys does not count, and a key that is undefined is as good as absent. */
export function sameData(a: unknown, b: unknown, leaveOut?: string): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => sameData(item, b[index], leaveOut))
    )
  }
  const left = a as Record<string, Json>
  const right = b as Record<string, Json>
  const keys = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...keys].every((key) => key === leaveOut || sameData(left[key], right[key], leaveOut))
}

/** Whether two images are declared alike, wherever they stand. */
export const sameImage = (a: ImageSpec, b: ImageSpec): boolean =>
  sameData({ ...a, args: 0 }, { ...b, args: 0 }, 'at') && sameData(a.args, b.args)

/** Whether two resources are declared alike, wherever they stand. */
export function sameResource(a: ResourceSpec, b: ResourceSpec): boolean {
  if (a.kind !== b.kind) return false
  if (a.kind === 'manifests' && b.kind === 'manifests') {
    const objects = (spec: typeof a) => spec.objects.map((item) => item.object)
    return sameData({ ...a, objects: 0, at: 0 }, { ...b, objects: 0, at: 0 }) && sameData(objects(a), objects(b))
  }
  // The first port is the one that addresses mean, so here the order of keys counts.
  if (a.kind === 'app' && b.kind === 'app' && !samePorts(a, b)) return false
  return sameData({ ...a, at: 0 }, { ...b, at: 0 })
}

const samePorts = (a: AppSpec, b: AppSpec): boolean => sameData(Object.entries(a.ports), Object.entries(b.ports))

function diffNames<T>(
  old: Readonly<Record<string, T>>,
  next: Readonly<Record<string, T>>,
  same: (a: T, b: T) => boolean,
): NamesDiff {
  const before = new Map(Object.entries(old))
  const after = new Map(Object.entries(next))
  return {
    added: [...after.keys()].filter((name) => !before.has(name)),
    changed: [...after].filter(([name, spec]) => before.has(name) && !same(before.get(name) as T, spec)).map(([name]) => name),
    removed: [...before.keys()].filter((name) => !after.has(name)),
  }
}

/** Names of the apps whose address a resource's texts hold. */
function addressed(resource: ResourceSpec): ReadonlySet<string> {
  return new Set(textsOf(resource).flatMap((text) => text.flatMap((part) => (part.kind === 'address' ? [part.resource] : []))))
}

/**
 * What a reload has to touch.
 * @param old undefined = everything is new
 */
export function diffPlans(old: Plan | undefined, next: Plan): PlanDiff {
  const images = diffNames(old?.images ?? {}, next.images, sameImage)
  const apps = diffNames(old?.resources ?? {}, next.resources, (a, b) => a.kind !== 'app' || b.kind !== 'app' || samePorts(a, b))
  const moved = new Set([...apps.added, ...apps.changed, ...apps.removed])
  const resources = diffNames(
    old?.resources ?? {},
    next.resources,
    (a, b) => sameResource(a, b) && ![...addressed(b)].some((name) => moved.has(name)),
  )
  const project = !old || old.name !== next.name || !sameData(old.cluster, next.cluster)
  const none = (diff: NamesDiff): boolean => diff.added.length + diff.changed.length + diff.removed.length === 0
  return { images, resources, project, same: !project && none(images) && none(resources) }
}
