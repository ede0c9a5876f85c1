// What the API server refuses in an object, told with the place in the manifest.
import { DevloopError, isDevloopError } from '../../../errors/devloop-error.js'
import { isDenial, statusOf, type KubeStatus } from '../errors.js'
import { instanceLabel, projectLabel, replaceAnnotation } from '../labels.js'
import type { LiveObject } from './cluster-objects.js'
import { objectName, type RenderedObject } from './rendered.js'

/** The refusal of an object as an error that names object, field and place. What is not about the object stays as it is. */
export function applyError(thrown: unknown, rendered: RenderedObject): unknown {
  const found = statusOf(thrown)
  // a missing namespace says more than the refusal itself
  if (!found || (isDevloopError(thrown) && thrown.code === 'cluster/namespace')) return thrown
  const secret = rendered.object.kind === 'Secret'
  const status = secret ? withoutValues(found) : found
  const name = described(rendered)
  const options = { why: status.message, where: rendered.at, ...(secret ? {} : { cause: thrown }) }
  if (isFieldConflict(status)) return fieldConflict(status, rendered, thrown)
  if (isDenial(status)) return new DevloopError('cluster/denied', `${name} is not admitted by the cluster.`, options)
  const typed = typeProblem(status.message)
  if (typed) return new DevloopError('cluster/invalid', `${name} is not valid: ${typed}.`, options)
  if (status.code === 400 || status.code === 422) {
    return new DevloopError('cluster/invalid', `${name} is not valid: ${causes(status) ?? status.message}.`, {
      ...options,
      why: causes(status) ? undefined : options.why,
    })
  }
  if (status.code === 413) return new DevloopError('cluster/invalid', `${name} is too large for the cluster.`, options)
  if (status.code === 404) {
    return new DevloopError(
      'cluster/invalid',
      `${name}: the cluster does not serve ${rendered.object.kind} of ${rendered.object.apiVersion} (any more).`,
      options,
    )
  }
  return thrown
}

/** The refusal to touch what another working copy applied. */
export function belongsToOther(rendered: RenderedObject, live: LiveObject): DevloopError {
  const { [projectLabel]: project = '', [instanceLabel]: instance = '' } = live.metadata.labels ?? {}
  return new DevloopError(
    'cluster/conflict',
    `${described(rendered)} belongs to another devloop: instance ${instance} of project ${project}.`,
    {
      where: rendered.at,
      help: 'Use a namespace of its own for this working copy (--namespace), or run `devloop down` in the other one.',
    },
  )
}

/** An immutable field differs, and the object must not be deleted to change it. */
export function immutable(thrown: unknown, rendered: RenderedObject, reason: string): DevloopError {
  const status = statusOf(thrown)
  const { kind, metadata } = rendered.object
  const orphan = kind === 'StatefulSet' ? ' --cascade=orphan' : ''
  const space = metadata.namespace ? ` -n ${metadata.namespace}` : ''
  return new DevloopError(
    'cluster/invalid',
    `${described(rendered)} cannot be changed in that way: ${(status && causes(status)) ?? 'a field of it is immutable'}.`,
    {
      why: reason,
      where: rendered.at,
      help: `Take the change back; or delete it first: kubectl delete ${kind.toLowerCase()} ${metadata.name}${space}${orphan}; or let devloop do so whenever it is needed, by the annotation ${replaceAnnotation}: "true".`,
      cause: thrown,
    },
  )
}

/** Whether the refusal is that a field may not be changed in an object that exists. */
export function isImmutable(thrown: unknown): boolean {
  const status = statusOf(thrown)
  return (
    status?.code === 422 &&
    /is immutable|may not change|are forbidden|may not be (?:changed|updated)|cannot be changed/i.test(status.message)
  )
}

export const isFieldConflict = (status: KubeStatus): boolean =>
  status.code === 409 && (status.details?.causes?.some(({ reason }) => reason === 'FieldManagerConflict') ?? false)

function fieldConflict(status: KubeStatus, rendered: RenderedObject, cause: unknown): DevloopError {
  const { kind, metadata } = rendered.object
  const conflicts = (status.details?.causes ?? []).filter(({ reason }) => reason === 'FieldManagerConflict')
  const owned = conflicts.map(
    ({ field = '', message = '' }) => `${field.replace(/^\./, '')} (${/"(.*?)"/.exec(message)?.[1] ?? message})`,
  )
  const more = owned.length > 3 ? ` and ${owned.length - 3} more` : ''
  const space = metadata.namespace ? ` -n ${metadata.namespace}` : ''
  return new DevloopError(
    'cluster/conflict',
    `${described(rendered)} is there already, and somebody else owns ${owned.slice(0, 3).join(', ')}${more}.`,
    {
      where: rendered.at,
      help: `Take what differs out of the manifest, or let devloop make the object: kubectl delete ${kind.toLowerCase()} ${metadata.name}${space}`,
      cause,
    },
  )
}

/** `deployment/api in namespace dev` */
const described = ({ object }: RenderedObject): string =>
  `${objectName(object)}${object.metadata.namespace ? ` in namespace ${object.metadata.namespace}` : ''}`

function causes(status: KubeStatus): string | undefined {
  const found = (status.details?.causes ?? []).map(
    ({ field, message, reason }) => `${field ? `${field}: ` : ''}${shortened(message ?? reason ?? '')}`,
  )
  return found.length > 0 ? found.join('; ') : undefined
}

/** Without the regular expressions that the cluster explains names with. */
const shortened = (message: string): string => message.replace(/ \(e\.g\. .*$/s, '')

/** The cluster may quote the value that it refuses, and a Secret's must not be shown. */
function withoutValues(status: KubeStatus): KubeStatus {
  const cut = (text: string): string => text.replace(/(?:,? got|: Invalid value:|^Invalid value:|, error found| in #\d+).*$/s, '')
  const found = status.details?.causes?.map((cause) => ({ ...cause, message: cut(cause.message ?? '') || 'not valid' }))
  return { ...status, message: cut(status.message), details: { ...status.details, ...(found ? { causes: found } : {}) } }
}

/** What is wrong with a field, from the server's words when it cannot read the object; server-side apply says so with a 500. */
function typeProblem(message: string): string | undefined {
  const found =
    /^failed to (?:create|convert) [^(]*\(.*?; .*?\)[^:]*: (?:unable to convert .*?: )?(?:error decoding from json: )?(.*)$/s.exec(
      message,
    )?.[1]
  return found?.replace(/^\./, '').replaceAll('\n  .', '; ')
}
