// Keys. One letter each, never while something is typed, and all of them can be switched off in the list that `?` shows.
import { canRestart, restart, toggleEnabled, trigger } from './actions.js'
import { hashOf, views } from './address.js'
import type { PageState } from './page-state.js'

export interface Shortcut {
  readonly keys: readonly string[]
  readonly does: string
}

/** In the order in which they are listed. */
export const shortcuts: readonly Shortcut[] = [
  { keys: ['1', '2', '3', '4', '5'], does: 'Overview, graph, changes, logs, session' },
  { keys: ['j', 'k'], does: 'Next and previous resource' },
  { keys: ['Enter'], does: 'Show the resource' },
  { keys: ['l'], does: 'Show its log' },
  { keys: ['t'], does: 'Trigger it: do the whole again' },
  { keys: ['r'], does: 'Restart its process' },
  { keys: ['e'], does: 'Enable or disable it' },
  { keys: ['o'], does: 'Open its first address' },
  { keys: ['/'], does: 'Search the log' },
  { keys: ['n', 'N'], does: 'Next and previous line that was found' },
  { keys: ['f'], does: 'Follow the log' },
  { keys: ['Esc'], does: 'Leave the field, or go back to the overview' },
  { keys: ['?'], does: 'Show and hide this list' },
]

const offKey = 'devloop.shortcuts'

export function areShortcutsOn(): boolean {
  try {
    return localStorage.getItem(offKey) !== 'off'
  } catch {
    return true
  }
}

export function switchShortcuts(on: boolean): void {
  try {
    if (on) localStorage.removeItem(offKey)
    else localStorage.setItem(offKey, 'off')
  } catch {
    // not allowed: they stay on
  }
}

/** Listens for as long as the page lives. */
export function listenToKeys(page: PageState): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    const target = event.target instanceof HTMLElement ? event.target : undefined
    const typing = target?.matches('input:not([type=checkbox]), select, textarea') ?? false
    if (event.key === 'Escape') {
      if (page.isHelpOpen.value) page.isHelpOpen.value = false
      else if (typing) target?.blur()
      else location.hash = '#/'
      return
    }
    if (typing || !areShortcutsOn()) return
    if (act(page, event.key, target)) event.preventDefault()
  })
}

/** @returns whether the key was meant for us */
function act(page: PageState, key: string, target: HTMLElement | undefined): boolean {
  if (key === '?') {
    page.isHelpOpen.value = !page.isHelpOpen.value
    return true
  }
  if (page.isHelpOpen.value) return false
  const view = views[Number(key) - 1]
  if (view) {
    location.hash = hashOf({ view })
    return true
  }
  if (key === 'j' || key === 'k') return step(key === 'j' ? 1 : -1)
  if (key === '/') return focus('[data-search]')
  if (key === 'n' || key === 'N') return press(key === 'n' ? '[data-next]' : '[data-previous]')
  if (key === 'f') return press('[data-follow]')
  const name = target?.closest<HTMLElement>('[data-resource]')?.dataset.resource ?? page.route.value.name
  const resource = name === undefined ? undefined : page.views.value.get(`resource/${name}`)
  if (resource?.kind !== 'resource') return false
  switch (key) {
    case 'l':
      location.hash = hashOf({ view: 'logs', name: resource.name })
      return true
    case 't':
      if (page.may('trigger')) trigger(page, resource)
      return true
    case 'r':
      if (page.may('restart') && canRestart(resource)) restart(page, resource)
      return true
    case 'e':
      toggleEnabled(page, resource)
      return true
    case 'o': {
      const url = resource.endpoints.find((one) => /^https?:/.test(one.url))?.url
      if (url !== undefined) open(url, '_blank', 'noopener,noreferrer')
      return true
    }
    default:
      return false
  }
}

/** The links of the resources are what the focus goes along. */
function step(by: number): boolean {
  const links = [...document.querySelectorAll<HTMLElement>('[data-row]')]
  if (links.length === 0) return false
  const place = links.indexOf(document.activeElement as HTMLElement)
  const next = place < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, place + by))
  links[next]?.focus()
  return true
}

function focus(selector: string): boolean {
  const found = document.querySelector<HTMLInputElement>(selector)
  if (!found) {
    location.hash = hashOf({ view: 'logs' })
    // when it is drawn
    requestAnimationFrame(() => setTimeout(() => document.querySelector<HTMLInputElement>(selector)?.focus()))
    return true
  }
  found.focus()
  found.select()
  return true
}

function press(selector: string): boolean {
  const button = document.querySelector<HTMLButtonElement>(selector)
  button?.click()
  return button !== null
}
