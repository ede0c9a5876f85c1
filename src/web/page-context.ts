// The state of the page, for all its parts.
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { PageState } from './page-state.js'

export const PageContext = createContext<PageState | undefined>(undefined)

export function usePage(): PageState {
  const page = useContext(PageContext)
  if (!page) throw new Error('There is no page around this part.')
  return page
}
