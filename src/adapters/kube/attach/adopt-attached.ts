// The pods of an attached workload, and itself, as if devloop had labelled them.
import { makerOf } from '../custom/adopt.js'
import { imagesAnnotation, instanceLabel, projectLabel, resourceLabel, restartableAnnotation, templateLabel } from '../labels.js'
import { workloadKey } from '../observe-resource.js'
import type { Meta, Pod } from '../observe-shapes.js'
import type { Adopted } from '../observe.js'

/** The template id of all its pods: during a rollout, those that are about to go are still its pods. */
export const attachedTemplate = 'attached'

export interface Attachment {
  /** Name of the resource. */
  readonly resource: string
  /** Of the workload, see workloadKey. */
  readonly key: string
  /** The container that files go into; undefined = the pod's default one. */
  readonly container: string | undefined
  /** The image that stands for what it runs; undefined = files go nowhere. */
  readonly image: string | undefined
  readonly owner: { readonly project: string; readonly instance: string }
}

export interface AttachedAdopter {
  readonly adopt: Adopted
  /** Whether the workload, as it was last seen, is deployed by this very instance of devloop. */
  isOwn(): boolean
}

export function attachedAdopter({ resource, key, container, image, owner }: Attachment): AttachedAdopter {
  let own = false
  const isTheirs = ({ labels }: Meta): boolean =>
    labels?.[projectLabel] === owner.project && labels[instanceLabel] === owner.instance
  return {
    isOwn: () => own,
    adopt(kind, object) {
      const { metadata } = object
      const { name, namespace = '', labels, annotations } = metadata
      const isWorkload = workloadKey(kind, namespace, name) === key
      if (!isWorkload && (kind !== 'Pod' || !makersOf(metadata).includes(key))) return undefined
      if (isWorkload) own = isTheirs(metadata)
      if (isTheirs(metadata)) return undefined
      const adopted = { ...labels, [resourceLabel]: resource, [templateLabel]: attachedTemplate }
      if (kind !== 'Pod') {
        // whoever made it has nothing to say here, and the template's labels are not devloop's
        const { ownerReferences: _owners, ...meta } = metadata
        const { template: _template, ...spec } = object.spec ?? {}
        return { ...object, metadata: { ...meta, labels: adopted }, spec }
      }
      const { [restartableAnnotation]: _restartable, ...others } = annotations ?? {}
      const into = image === undefined ? undefined : (container ?? defaultContainer(object))
      const images = JSON.stringify(into === undefined ? {} : { [into]: image })
      const shown = { ...metadata, labels: adopted, annotations: { ...others, [imagesAnnotation]: images } }
      // as itself, a pod is waited for by nobody else
      return { ...object, metadata: isWorkload ? { ...shown, ownerReferences: [] } : shown }
    },
  }
}

/** Keys of what made a pod: its controller, and the Deployment that it may be the hand of. */
function makersOf(metadata: Meta): readonly string[] {
  const owner = metadata.ownerReferences?.find((one) => one.controller)
  const direct = owner ? [workloadKey(owner.kind, metadata.namespace ?? '', owner.name)] : []
  return [...direct, makerOf(metadata)]
}

/** As kubectl chooses it, but for the guess at the first of several. */
function defaultContainer({ metadata, spec }: Pod): string | undefined {
  const names = (spec?.containers ?? []).map(({ name }) => name)
  const said = metadata.annotations?.['kubectl.kubernetes.io/default-container']
  if (said !== undefined && names.includes(said)) return said
  return names.length === 1 ? names[0] : undefined
}
