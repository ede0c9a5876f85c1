// Which views a client wants. Pure.
import type { StateSelection, View } from '../protocol/messages.js'

export interface StateFilter {
  /** The keys of the views that are selected, of those that there are. */
  selected(views: ReadonlyMap<string, View>): ReadonlySet<string>
  /** Whether a view with this key may be selected at some time. */
  mayMean(key: string): boolean
  /** Whether it depends on views with this key which others are selected. */
  dependsOn(key: string): boolean
}

/** The filter of a selection; see StateSelection. Views are by `kind/name`. */
export function createStateFilter({ kinds, resources }: StateSelection): StateFilter {
  const chosen = resources && new Set(resources)
  const wanted = kinds && new Set<string>(kinds)
  const isOfKind = (kind: string): boolean => kind === 'session' || (wanted?.has(kind) ?? true)
  return {
    selected(views) {
      const concerned = chosen ? concerns(chosen, views) : (): boolean => true
      const keys = new Set<string>()
      for (const [key, view] of views) if (isOfKind(view.kind) && concerned(view)) keys.add(key)
      return keys
    },
    mayMean(key) {
      const slash = key.indexOf('/')
      const kind = key.slice(0, slash)
      return isOfKind(kind) && (!chosen || kind !== 'resource' || chosen.has(key.slice(slash + 1)))
    },
    // the images of a resource, and what an image is built on, are named in their views
    dependsOn: (key) => chosen !== undefined && (key.startsWith('image/') || chosen.has(key.slice('resource/'.length))),
  }
}

/** Whether a view concerns one of some resources. */
function concerns(chosen: ReadonlySet<string>, views: ReadonlyMap<string, View>): (view: View) => boolean {
  const images = new Set<string>()
  // by the views, which are few: a client may name whatever it likes
  for (const view of views.values())
    if (view.kind === 'resource' && chosen.has(view.name)) for (const image of view.images) images.add(image)
  for (const name of [...images]) {
    const view = views.get(`image/${name}`)
    if (view?.kind === 'image') for (const base of view.bases ?? []) images.add(base)
  }
  return (view) => {
    if (view.kind === 'resource') return chosen.has(view.name)
    if (view.kind === 'image') return images.has(view.name)
    if (view.kind !== 'change') return true
    return (
      view.resources.some((name) => chosen.has(name)) ||
      view.images.some(({ image, action }) => action !== 'none' && images.has(image))
    )
  }
}
