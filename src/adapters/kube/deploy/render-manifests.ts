// The user's manifests as they are applied: namespace, labels, built images and restart wrappers put in.
import { DevloopError, type ErrorInfo } from '../../../errors/devloop-error.js'
import type { BuildRecord } from '../../../model/build-record.js'
import { findImagePath, otherImagePlaces } from '../../../model/image-places.js'
import type { ImageUse, KubeObject, ManifestObject, ManifestsSpec } from '../../../model/plan.js'
import { podBearing, type Container } from '../../../model/pod-bearing.js'
import type { AgentOf } from '../agent/agents-of.js'
import { configAnnotation } from '../labels.js'
import type { RollOf } from './config-rolls.js'
import { didYouMean } from './did-you-mean.js'
import { namesImage, parseImageReference } from './image-reference.js'
import type { KindLookup } from './kinds.js'
import { finishPodTemplate } from './pod-template.js'
import { objectName, ownerLabels, type Owner, type Rendered, type RenderedObject } from './rendered.js'

/** Objects with the images that are put into them. */
export type ObjectsSpec = ImageUse & Pick<ManifestsSpec, 'name' | 'objects' | 'namespace' | 'at'>

export interface RenderManifestsInput {
  readonly manifests: ObjectsSpec
  readonly owner: Owner
  /** For namespaced objects that name none. */
  readonly namespace: string
  readonly kindOf: KindLookup
  readonly images: Readonly<Record<string, BuildRecord>>
  readonly restartable: ReadonlySet<string>
  /** Names of Secrets that pods with built images pull with. */
  readonly pullSecrets?: readonly string[]
  readonly agentOf?: AgentOf
  /** What makes a workload roll out when a config changes that it names. */
  readonly rollOf?: RollOf | undefined
  /** Whose pods get no agent in any case. */
  readonly isLeftAlone?: (object: KubeObject) => boolean
}

/** The single objects of a manifests resource: lists taken apart. */
export function manifestObjects(manifests: Pick<ManifestsSpec, 'objects'>): readonly ManifestObject[] {
  return manifests.objects.flatMap((entry) => flatten(entry))
}

/** @throws DevloopError devloopfile/invalid */
export function renderManifests(input: RenderManifestsInput): Rendered {
  const { manifests, owner, kindOf } = input
  const namespace = manifests.namespace ?? input.namespace
  const used = new Set<string>()
  const seen = new Set<string>()
  const warnings: ErrorInfo[] = []
  const named = (reference: string): string | undefined => {
    seen.add(reference)
    const name = manifests.images.find((image) => namesImage(reference, image))
    if (name !== undefined) used.add(name)
    return name
  }
  const imageOf = (container: Container): string | undefined => (container.image ? named(container.image) : undefined)
  const objects = manifestObjects(manifests).map((entry): RenderedObject => {
    const at = entry.at ?? manifests.at
    const object = cleaned(entry.object)
    if (kindOf(object).namespaced) object.metadata.namespace ||= namespace
    object.metadata.labels = { ...object.metadata.labels, ...ownerLabels(owner) }
    for (const place of otherImagePlaces(object, manifests)) {
      const name = named(place.reference)
      const record = name === undefined ? undefined : input.images[name]
      if (record) place.set(record.ref)
    }
    const bearing = podBearing(object)
    if (!bearing) return { object, at }
    const roll = input.rollOf?.(object, bearing.template)
    if (roll !== undefined) {
      const metadata = (bearing.template.metadata ??= {})
      metadata.annotations = { ...metadata.annotations, [configAnnotation]: roll }
    }
    const { agentOf, isLeftAlone, ...rest } = input
    const {
      id,
      warnings: more,
      agent,
    } = finishPodTemplate(bearing.template, {
      ...rest,
      ...(agentOf && !isLeftAlone?.(object) ? { agentOf } : {}),
      imageOf,
      runsOn: bearing.runsOn,
      at,
      workload: objectName(object),
    })
    warnings.push(...more)
    return { object, at, template: id, ...(agent ? { agent } : {}) }
  })
  checkNames(objects)
  for (const image of manifests.images) if (!used.has(image)) throw unusedImage(image, seen, manifests, objects)
  return { objects, warnings }
}

function flatten(entry: ManifestObject): readonly ManifestObject[] {
  const { kind, items } = entry.object
  if (!kind.endsWith('List') || !Array.isArray(items)) return [entry]
  return (items as KubeObject[]).flatMap((object) => flatten({ ...entry, object }))
}

/** A copy without what only the cluster may say; exported objects have it. */
function cleaned(original: KubeObject): KubeObject {
  const object = structuredClone(original)
  delete object.status
  for (const field of ['managedFields', 'resourceVersion', 'uid', 'creationTimestamp', 'generation', 'selfLink'])
    delete object.metadata[field]
  if (object.kind === 'Secret' && object.apiVersion === 'v1' && object.stringData) {
    // the cluster never shows stringData again, so a removed key would stay
    const encoded = Object.entries(object.stringData).map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')])
    object.data = { ...(object.data as object | undefined), ...Object.fromEntries(encoded) }
    delete object.stringData
  }
  return object
}

function checkNames(objects: readonly RenderedObject[]): void {
  const places = new Map<string, RenderedObject>()
  for (const rendered of objects) {
    const { object, at } = rendered
    if (!object.metadata.name) {
      throw new DevloopError(
        'devloopfile/invalid',
        `A ${object.kind} has no metadata.name${object.metadata.generateName ? ' but generateName' : ''}: devloop could not find it again.`,
        {
          where: at,
          help: 'Give it a name.',
        },
      )
    }
    const key = [object.apiVersion, object.kind, object.metadata.namespace, object.metadata.name].join(' ')
    const other = places.get(key)
    if (other) {
      throw new DevloopError('devloopfile/invalid', `${objectName(object)} is there twice.`, {
        why: `The other one is at ${other.at.file}:${other.at.line}.`,
        where: at,
        help: 'Remove one of them, or give it another name.',
      })
    }
    places.set(key, rendered)
  }
}

function unusedImage(
  image: string,
  seen: ReadonlySet<string>,
  manifests: ObjectsSpec,
  objects: readonly RenderedObject[],
): DevloopError {
  const repositories = new Map(
    [...seen].filter(Boolean).map((reference) => [parseImageReference(reference).repository, reference]),
  )
  const found = [...repositories.values()].sort()
  const [elsewhere] = objects.flatMap(({ object }) => {
    const path = findImagePath(object, (reference) => namesImage(reference, image))
    return path === undefined ? [] : { kind: object.kind, path }
  })
  return new DevloopError(
    'devloopfile/invalid',
    `No container in manifests ${manifests.name} runs image ${image}.${didYouMean(image, repositories.keys())}`,
    {
      why: found.length > 0 ? `The images in it are: ${found.join(', ')}.` : 'There is no container in it.',
      where: manifests.at,
      help: elsewhere
        ? `Say where it stands: imageFields: [{ kind: '${elsewhere.kind}', path: '${elsewhere.path}' }]`
        : 'Name the image as the manifests do (registry and tag do not matter), or take it out of `images`.',
    },
  )
}
