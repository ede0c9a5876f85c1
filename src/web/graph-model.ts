// The dependency graph as the views tell it: resources and images, and what comes after what.
import { note, statusMark } from '../client/status/resource-words.js'
import type { Tone } from '../client/status/tone.js'
import { imagesOf, resourcesOf, type Views } from '../client/status/views.js'
import type { ImageView } from '../protocol/messages.js'
import type { GraphEdge } from './graph-layout.js'

export interface GraphNode {
  /** Kind and name: an image may be called as a resource is. */
  readonly id: string
  readonly kind: 'resource' | 'image'
  readonly name: string
  readonly status: string
  readonly tone: Tone
  /** What there is to say beside the status. */
  readonly note: string
}

export interface GraphLink extends GraphEdge {
  /** `needs`: is started when the other is ready. `after`: is done again when the other has changed. `image`: is made of it. */
  readonly kind: 'needs' | 'after' | 'image'
}

export interface Graph {
  readonly nodes: readonly GraphNode[]
  /** From what comes first to what follows. */
  readonly links: readonly GraphLink[]
}

const resourceId = (name: string): string => `resource/${name}`
const imageId = (name: string): string => `image/${name}`

export function graphOf(views: Views): Graph {
  const resources = resourcesOf(views)
  const images = imagesOf(views)
  const nodes: GraphNode[] = [
    ...images.map((image) => ({
      id: imageId(image.name),
      kind: 'image' as const,
      name: image.name,
      status: image.state,
      tone: imageTone(image),
      note: image.error?.message ?? (image.overlay > 0 ? `${image.overlay} files synced` : ''),
    })),
    ...resources.map((one) => ({
      id: resourceId(one.name),
      kind: 'resource' as const,
      name: one.name,
      status: one.status,
      tone: statusMark(one).tone,
      note: note(one).text,
    })),
  ]
  const known = new Set(nodes.map(({ id }) => id))
  const links: GraphLink[] = [
    ...images.flatMap(({ name, bases = [] }) =>
      directBases(bases, images).map((base) => ({ from: imageId(base), to: imageId(name), kind: 'image' as const })),
    ),
    ...resources.flatMap((one) => [
      ...one.images.map((image) => ({ from: imageId(image), to: resourceId(one.name), kind: 'image' as const })),
      ...one.needs.map((name) => ({ from: resourceId(name), to: resourceId(one.name), kind: 'needs' as const })),
      ...one.rebuildAfter
        .filter((name) => !one.needs.includes(name))
        .map((name) => ({ from: resourceId(name), to: resourceId(one.name), kind: 'after' as const })),
    ]),
  ]
  return { nodes, links: links.filter(({ from, to }) => known.has(from) && known.has(to)) }
}

/** Of all that an image is built on, those that none of the others is built on. */
function directBases(bases: readonly string[], images: readonly ImageView[]): readonly string[] {
  const below = new Set(images.filter(({ name }) => bases.includes(name)).flatMap((one) => one.bases ?? []))
  return bases.filter((name) => !below.has(name))
}

function imageTone({ state }: ImageView): Tone {
  if (state === 'failed') return 'bad'
  if (state === 'building') return 'busy'
  return state === 'built' ? 'good' : 'quiet'
}
