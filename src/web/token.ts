// The token comes in the fragment, which browsers send nowhere. It is taken out of the address at once, and kept as long as the tab.
import { tokenOf } from './address.js'

const key = 'devloop.token'

/** The token of this tab; undefined = it has none. */
export function takeToken(): string | undefined {
  const given = tokenOf(location.hash)
  if (given === undefined) return stored()
  try {
    sessionStorage.setItem(key, given)
  } catch {
    // not allowed: then it lasts until the page is loaded again
  }
  history.replaceState(undefined, '', `${location.pathname}#/`)
  return given
}

function stored(): string | undefined {
  try {
    return sessionStorage.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}
