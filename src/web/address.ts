// What the address says: the token once, and from then on which view is shown.

/** A view of the page, and what of. */
export interface Route {
  readonly view: 'overview' | 'graph' | 'changes' | 'logs' | 'session' | 'resource'
  /** Of `resource`: its name. Of `logs`: the one whose log is wanted, or undefined for all. */
  readonly name?: string
}

export const views = ['overview', 'graph', 'changes', 'logs', 'session'] as const

/** The fragment of a view, with `#`. */
export function hashOf({ view, name }: Route): string {
  const path = view === 'overview' ? '' : view
  return `#/${path}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}

/** What is not known is the overview. @param hash with or without `#` */
export function routeOf(hash: string): Route {
  const [, view = '', name] = /^#?\/([a-z]*)(?:\/(.*))?$/.exec(hash) ?? []
  const decoded = name === undefined || name === '' ? undefined : decode(name)
  if (view === 'resource') return decoded === undefined ? { view: 'overview' } : { view, name: decoded }
  if (view === 'logs' && decoded !== undefined) return { view, name: decoded }
  return { view: views.find((one) => one === view) ?? 'overview' }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** The token of a fragment such as `#token=...`; undefined = there is none. */
export const tokenOf = (hash: string): string | undefined => /^#token=([A-Za-z0-9_~.+/=-]{16,})$/.exec(hash)?.[1]
