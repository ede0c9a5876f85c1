// Reading the views, for everything that shows them. Nothing in this folder needs Node: pages and editors use it too.
import type { ChangeView, ImageView, ResourceView, SessionView, View } from '../../protocol/messages.js'

/** Views by `kind/name`, as a client holds them. */

export type Views = ReadonlyMap<string, View>

/** Undefined before the first welcome. */
export const sessionOf = (views: Views): SessionView | undefined => views.get('session/session') as SessionView | undefined

/** In the Devloopfile's order. */
export const resourcesOf = (views: Views): ResourceView[] =>
  [...views.values()].filter((view) => view.kind === 'resource').sort((a, b) => a.order - b.order)

/** By name. */
export const imagesOf = (views: Views): ImageView[] =>
  [...views.values()].filter((view) => view.kind === 'image').sort((a, b) => (a.name < b.name ? -1 : 1))

/** Whether nothing is to be done for it before somebody asks: it is disabled, or does not start by itself. */
export const isAtRest = ({ status, hold }: ResourceView): boolean => status === 'disabled' || hold?.code === 'auto'

/** Oldest first. */
export const changesOf = (views: Views): ChangeView[] =>
  [...views.values()].filter((view) => view.kind === 'change').sort((a, b) => a.at - b.at)

/** The images that resources use, those that these are built on included; by name. */
export function imagesUsed(views: Views, resources: readonly ResourceView[]): ImageView[] {
  const used = new Set(resources.flatMap((one) => one.images))
  for (const { name, bases = [] } of imagesOf(views)) if (used.has(name)) for (const base of bases) used.add(base)
  return imagesOf(views).filter(({ name }) => used.has(name))
}

/** The changes that concerned a resource or one of the images that it uses, oldest first. */
export function changesFor(views: Views, resource: ResourceView): ChangeView[] {
  const images = new Set(imagesUsed(views, [resource]).map(({ name }) => name))
  return changesOf(views).filter(
    (change) => change.resources.includes(resource.name) || change.images.some(({ image }) => images.has(image)),
  )
}
