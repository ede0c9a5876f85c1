// What of all that a daemon tells belongs to the resources that a command line names.
import { didYouMean, listed } from '../errors/did-you-mean.js'
import { DevloopError } from '../errors/devloop-error.js'
import type { ResourceView } from '../protocol/messages.js'
import { imagesUsed, resourcesOf, type Views } from '../client/status/views.js'

const group = 'label:'

const isMeant = ({ name, labels }: ResourceView, selector: string): boolean =>
  selector.startsWith(group) ? labels.includes(selector.slice(group.length)) : name === selector

/** The resources that names and `label:NAME` mean, in the order of the Devloopfile; of none, all. */
export const selectedResources = (views: Views, selectors: readonly string[]): readonly ResourceView[] =>
  selectors.length === 0 ? resourcesOf(views) : resourcesOf(views).filter((view) => selectors.some((one) => isMeant(view, one)))

/** The selectors that mean nothing by now. */
export const unknownSelectors = (views: Views, selectors: readonly string[]): readonly string[] =>
  selectors.filter((one) => !resourcesOf(views).some((view) => isMeant(view, one)))

/** @throws DevloopError request/unknown-resource when one of them means nothing */
export function checkSelectors(views: Views, selectors: readonly string[]): void {
  const [unknown] = unknownSelectors(views, selectors)
  if (unknown === undefined) return
  const all = resourcesOf(views)
  const names = all.map(({ name }) => name)
  const groups = new Set(all.flatMap(({ labels }) => labels.map((label) => group + label)))
  const isGroup = unknown.startsWith(group)
  const known = isGroup ? [...groups] : names
  const there = known.length > 0 ? `There are ${listed(known)}.` : isGroup ? 'There are no labels.' : 'No plan is in force yet.'
  const what = isGroup
    ? `no resource has the label ${JSON.stringify(unknown.slice(group.length))}`
    : `there is no resource ${JSON.stringify(unknown)}`
  throw new DevloopError('request/unknown-resource', what, { why: didYouMean(unknown, known) ?? there })
}

/** The views of the selected resources, of the images that they use (those that these are built on included), and of their changes. */
export function selectedViews(views: Views, selectors: readonly string[]): Views {
  if (selectors.length === 0) return views
  const chosen = selectedResources(views, selectors)
  const names = new Set(chosen.map(({ name }) => name))
  const images = new Set(imagesUsed(views, chosen).map(({ name }) => name))
  return new Map(
    [...views].filter(([, view]) => {
      if (view.kind === 'resource') return names.has(view.name)
      if (view.kind === 'image') return images.has(view.name)
      if (view.kind === 'change')
        return view.resources.some((one) => names.has(one)) || view.images.some(({ image }) => images.has(image))
      return true
    }),
  )
}
