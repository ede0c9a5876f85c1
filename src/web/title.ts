// The title and the icon of the tab say how things are, also while another tab is looked at.
import { overall } from '../client/status/session-words.js'
import type { Tone, Toned } from '../client/status/tone.js'
import { sessionOf } from '../client/status/views.js'
import type { PageState } from './page-state.js'

/** How things are, in a few words; without a connection, that. */
export function stateOf({ views, connection }: PageState): Toned {
  switch (connection.value.state) {
    case 'lost':
      return { text: 'not connected', tone: 'bad' }
    case 'refused':
      return { text: 'not allowed in', tone: 'bad' }
    case 'connecting':
      return { text: 'connecting', tone: 'busy' }
    default:
      return overall(views.value)
  }
}

const colours: Readonly<Record<Tone, string>> = {
  good: '#16a34a',
  bad: '#dc2626',
  busy: '#2563eb',
  warn: '#d97706',
  quiet: '#78716c',
  plain: '#2563eb',
}

/** Beside the colour a shape, for those who do not tell colours apart. */
const shapes: Readonly<Record<'good' | 'bad' | 'other', string>> = {
  good: '<path d="M9 16.5l5 5 9-11" fill="none" stroke="#fff" stroke-width="3.5" stroke-linecap="round" stroke-linejoin="round"/>',
  bad: '<path d="M11 11l10 10M21 11L11 21" fill="none" stroke="#fff" stroke-width="3.5" stroke-linecap="round"/>',
  other: '<circle cx="16" cy="16" r="5" fill="#fff"/>',
}

let shown = ''

export function showInTitle(page: PageState): void {
  const { text, tone } = stateOf(page)
  const project = sessionOf(page.views.value)?.project ?? 'devloop'
  const title = `${text} · ${project}`
  if (document.title !== title) document.title = title
  if (shown === tone) return
  shown = tone
  const shape = shapes[tone === 'good' || tone === 'bad' ? tone : 'other']
  const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="${colours[tone]}"/>${shape}</svg>`
  document.querySelector('link[rel=icon]')?.setAttribute('href', `data:image/svg+xml,${encodeURIComponent(icon)}`)
}
