// Entry of the page: finds its source, and draws.
import { effect } from '@preact/signals'
import { render } from 'preact'
import { App } from './app.js'
import { createFrozenSource, readFrozen } from './frozen-source.js'
import { createLiveSource } from './live-source.js'
import { PageContext } from './page-context.js'
import { createPageState } from './page-state.js'
import { listenToKeys } from './shortcuts.js'
import { showInTitle } from './title.js'
import { takeToken } from './token.js'
import './page.css'

const frozen = readFrozen()
const page = createPageState(frozen ? createFrozenSource(frozen) : createLiveSource(location.origin, takeToken()))
if (!frozen) {
  // the same address with a new token, opened in a tab that is here already
  addEventListener('hashchange', () => {
    if (location.hash.startsWith('#token=')) location.reload()
  })
}
listenToKeys(page)
effect(() => showInTitle(page))
render(
  <PageContext.Provider value={page}>
    <App />
  </PageContext.Provider>,
  document.getElementById('page')!,
)
