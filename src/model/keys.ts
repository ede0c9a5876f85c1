// Hashes that tell whether something must be done again.
import { createHash } from 'node:crypto'
import { isSynced, replacesProcess } from './live-rules.js'
import type { Addressed, ImageSpec, Plan, ResourceSpec } from './plan.js'
import { addressedOf, imagesOf, textsOf, withBases } from './plan.js'

const hash = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)

/** Hash of a resource's spec and of the ports of the apps that its texts name. */
export function specKey(plan: Plan, resource: ResourceSpec): string {
  const others = textsOf(resource)
    .flat()
    .flatMap((part) => (part.kind === 'address' ? [plan.resources[part.resource]] : []))
    .map((other) => {
      const addressed = addressedOf(other)
      return addressed ? [addressed.name, addressed.ports] : other?.name
    })
  const rules = imagesOf(resource).map((name) => {
    const all = withBases(plan, [name]).map((one) => plan.images[one])
    return [all.some(replacesProcess), plan.settings.agent && all.some(isSynced)]
  })
  const spec = resource.kind === 'manifests' ? { ...resource, objects: resource.objects.map(({ object }) => object) } : resource
  // what forwards to it, and when it is worked on, is devloop's own affair: it changes nothing in what runs
  const own = {
    forward: undefined,
    needs: undefined,
    rebuildAfter: undefined,
    labels: undefined,
    at: undefined,
    readiness: undefined,
    warnings: undefined,
  }
  const debug = 'debug' in resource && resource.debug && { language: resource.debug.language, port: resource.debug.port }
  const modes = { auto: undefined, trigger: undefined, enabled: undefined }
  return hash([{ ...spec, ...own, ...modes, ...(debug ? { debug } : {}) }, others, rules])
}

/** What identifies one deploy of a resource: its spec and the references of the images in it. */
export const deployKey = (spec: string, refs: readonly string[]): string => [spec, ...refs].join(' ')

/**
 * Hash of what goes into an image beside the context and the images it is built on: Dockerfile text, arguments, target, options, or
 * the command that builds it. Of a secret only its id and where it comes from: what it holds is in no image either.
 */
export const imageInputs = ({ args, baseArgs, target, options, build, pulled }: ImageSpec, dockerfile: string): string =>
  hash([
    dockerfile,
    sorted(args),
    sorted(baseArgs ?? {}),
    target ?? null,
    sorted(options ?? {}),
    build ? sorted(build) : null,
    ...(pulled ? [sorted(pulled)] : []),
  ])

/** Entries by key at every depth, so that the order in which a Devloopfile says them does not count. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, sorted(item)])
}

/** What the addresses in texts lead to, by resource name. */
export const appsOf = (plan: Plan): Record<string, Addressed> =>
  Object.fromEntries(
    Object.values(plan.resources).flatMap((resource) => {
      const addressed = addressedOf(resource)
      return addressed ? [[resource.name, addressed] as const] : []
    }),
  )
