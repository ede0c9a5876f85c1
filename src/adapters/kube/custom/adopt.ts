// Pods and workloads that a custom deploy made, as if devloop had labelled them: they are found by their makers, or by a selector.
import type { BuildRecord } from '../../../model/build-record.js'
import { imagesAnnotation, resourceLabel, templateLabel } from '../labels.js'
import { workloadKey } from '../observe-resource.js'
import type { Meta, Pod } from '../observe-shapes.js'
import type { Adopted } from '../observe.js'
import { podTemplate } from './current-template.js'

/** The template id of pods that are found by their labels: nothing tells older ones apart. */
export const selectedTemplate = 'selected'

export interface Adoption {
  readonly resource: string
  /** Keys of workloads and bare pods, see workloadKey. */
  readonly makers: ReadonlySet<string>
  readonly selector: Readonly<Record<string, string>> | undefined
  /** Records of the images that it runs, by name. */
  readonly images: Readonly<Record<string, BuildRecord>>
}

export const adopter =
  ({ resource, makers, selector, images }: Adoption): Adopted =>
  (kind, object) => {
    const { metadata } = object
    if (kind !== 'Pod') {
      if (!makers.has(workloadKey(kind, metadata.namespace ?? '', metadata.name))) return undefined
      return { ...object, metadata: { ...metadata, labels: { ...metadata.labels, [resourceLabel]: resource } } }
    }
    const selected = selector !== undefined && Object.entries(selector).every(([key, value]) => metadata.labels?.[key] === value)
    if (!selected && !makers.has(makerOf(metadata))) return undefined
    const template = selected ? selectedTemplate : podTemplate(metadata)
    return {
      ...object,
      metadata: {
        ...metadata,
        labels: { ...metadata.labels, [resourceLabel]: resource, [templateLabel]: template },
        annotations: { ...metadata.annotations, [imagesAnnotation]: JSON.stringify(imagesIn(object, images)) },
      },
    }
  }

/** Key of what made a pod: a Deployment where a ReplicaSet of it did. */
export function makerOf({ name, namespace = '', labels, ownerReferences }: Meta): string {
  const owner = ownerReferences?.find((one) => one.controller)
  if (!owner) return workloadKey('Pod', namespace, name)
  const hash = labels?.['pod-template-hash']
  if (owner.kind === 'ReplicaSet' && hash !== undefined && owner.name.endsWith(`-${hash}`))
    return workloadKey('Deployment', namespace, owner.name.slice(0, -hash.length - 1))
  return workloadKey(owner.kind, namespace, owner.name)
}

/** Which containers run which image, told by the reference. */
function imagesIn({ spec }: Pod, images: Readonly<Record<string, BuildRecord>>): Readonly<Record<string, string>> {
  const names = new Map(Object.entries(images).map(([name, { ref }]) => [ref, name]))
  const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
  return Object.fromEntries(
    all.flatMap(({ name, image }) => (names.has(image ?? '') ? [[name, names.get(image ?? '')]] : [])) as [string, string][],
  )
}
