// Takes out of an object what is devloop's own: labels and annotations, names, and settings for a fast inner loop. Pure.
import type { AppSpec, KubeObject } from '../../../model/plan.js'
import type { Container, PodTemplate } from '../../../model/pod-bearing.js'
import { managedByLabel } from '../labels.js'

export interface ReleaseOf {
  readonly app: AppSpec
  readonly project: string
}

/** Answers that a container that is starting may owe; in the inner loop it may take for ever. */
const startFailures = 300

/** A copy without namespace: it is applied to whichever is meant then. @param of the app that it belongs to, if any */
export function released(original: KubeObject, of?: ReleaseOf): KubeObject {
  const copy = structuredClone(original)
  const object = of ? (renamed(copy, of.app.name) as KubeObject) : copy
  const { namespace: _namespace, ...metadata } = cleaned(object.metadata)
  object.metadata = metadata as KubeObject['metadata']
  if (object.kind === 'Secret') return inWords(object)
  if (!of) return object
  const spec = object.spec as Fields | undefined
  if (object.kind === 'Service' && spec?.selector) spec.selector = selectorOf(of)
  if ((object.kind === 'Deployment' || object.kind === 'Job') && spec) workload(spec, of, object.kind)
  return object
}

type Fields = Record<string, unknown>

const selectorOf = ({ app, project }: ReleaseOf): Record<string, string> => ({
  'app.kubernetes.io/name': app.name,
  'app.kubernetes.io/part-of': project,
})

function workload(spec: Fields, of: ReleaseOf, kind: string): void {
  // Kubernetes' own are for people who wait less
  delete spec.revisionHistoryLimit
  delete spec.progressDeadlineSeconds
  if (kind === 'Deployment') spec.selector = { matchLabels: selectorOf(of) }
  const template = spec.template as PodTemplate
  template.metadata = cleaned(template.metadata ?? {})
  if (of.app.pod?.stopTimeout === undefined) delete template.spec.terminationGracePeriodSeconds
  for (const container of template.spec.containers ?? []) containerOf(container)
}

function containerOf(container: Container): void {
  // by the tag: one that moves is pulled again
  delete container.imagePullPolicy
  const probe = container.startupProbe as { failureThreshold?: number } | undefined
  if (probe) probe.failureThreshold = startFailures
}

function cleaned<T extends { labels?: Record<string, string>; annotations?: Record<string, string> }>(metadata: T): T {
  const without = (given: Record<string, string> | undefined): Record<string, string> | undefined => {
    const kept = Object.entries(given ?? {}).filter(([key]) => !key.startsWith('devloop.dev/') && key !== managedByLabel)
    return kept.length > 0 ? Object.fromEntries(kept) : undefined
  }
  const { labels, annotations, ...rest } = metadata
  const [mine, notes] = [without(labels), without(annotations)]
  return { ...rest, ...(mine ? { labels: mine } : {}), ...(notes ? { annotations: notes } : {}) } as T
}

/** The names of devloop's own ConfigMaps and Secrets, wherever they stand. */
function renamed(value: unknown, app: string): unknown {
  if (typeof value === 'string') return value.startsWith(`${app}.devloop-`) ? value.replace('.devloop-', '-') : value
  if (Array.isArray(value)) return value.map((item) => renamed(item, app))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, renamed(item, app)]))
}

/** A Secret as people fill it in. */
function inWords({ data, ...secret }: KubeObject): KubeObject {
  const entries = Object.entries((data ?? {}) as Record<string, string>)
  return {
    ...secret,
    stringData: Object.fromEntries(entries.map(([key, text]) => [key, Buffer.from(text, 'base64').toString()])),
  }
}
