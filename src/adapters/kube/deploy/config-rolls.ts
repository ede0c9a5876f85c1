// Workloads of manifests that name the ConfigMap or Secret of a config: what makes them roll out when it changes.
import { namedInPods } from '../../../model/config-uses.js'
import type { KubeObject } from '../../../model/plan.js'
import { podBearing, type PodTemplate } from '../../../model/pod-bearing.js'
import { keyedHash } from './content-hash.js'
import { hashKeyName } from './generated.js'
import { inBase64 } from './render-config.js'
import type { RequestRenderer } from './render-request.js'

/**
 * Hash for the pod template of a workload, over all values of the configs that it names; undefined = it names none, or Stakater's Reloader
 * is asked to roll it out, so that nobody does it twice.
 */
export type RollOf = (object: KubeObject, template: PodTemplate) => string | undefined

/** @param entries the objects, before they are finished. @throws DevloopError cluster/* */
export async function configRolls(
  { connection, configs, generated }: Pick<RequestRenderer, 'connection' | 'configs' | 'generated'>,
  entries: readonly { readonly object: KubeObject }[],
  signal: AbortSignal,
): Promise<RollOf | undefined> {
  if (configs.size === 0 || !entries.some(({ object }) => podBearing(object))) return undefined
  const named = entries.some(({ object }) => {
    const template = podBearing(object)?.template
    return template && usedBy(object, template).length > 0
  })
  if (!named) return undefined
  const keys = await generated(new Set([hashKeyName]), signal)
  return (object, template) => {
    const used = usedBy(object, template)
    return used.length > 0 ? keyedHash(keys[hashKeyName] ?? '', Object.fromEntries(used)) : undefined
  }

  function usedBy(object: KubeObject, template: PodTemplate): readonly (readonly [string, object])[] {
    const { namespace } = object.metadata
    // a pod can only name what is in its own namespace
    if (namespace !== undefined && namespace !== connection.namespace) return []
    const { configMaps, secrets } = namedInPods(template)
    const isReloaded = reloaderOf({ ...template.metadata?.annotations, ...object.metadata.annotations })
    const usedOf = (kind: 'configmap' | 'secret', names: ReadonlySet<string>): [string, object][] =>
      [...names].flatMap((name) => {
        const values = configs.get(name)
        return values && !isReloaded(kind, name) ? [[`${kind} ${name}`, inBase64(values)]] : []
      })
    return [...usedOf('configmap', configMaps), ...usedOf('secret', secrets)]
  }
}

/**
 * What Reloader (stakater/Reloader, annotations of its README) is asked to roll a workload out for: everything that it uses, everything
 * of one kind, or what is named. `search` leaves it to annotations of the ConfigMap, which devloop's have not.
 */
function reloaderOf(annotations: Readonly<Record<string, string>>): (kind: 'configmap' | 'secret', name: string) => boolean {
  const is = (name: string): boolean => annotations[name] === 'true'
  return (kind, name) =>
    is('reloader.stakater.com/auto') ||
    is(`${kind}.reloader.stakater.com/auto`) ||
    (annotations[`${kind}.reloader.stakater.com/reload`] ?? '')
      .split(',')
      .map((one) => one.trim())
      .includes(name)
}
