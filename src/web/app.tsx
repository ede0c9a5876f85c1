// The frame of the page: how things are, where one can go, and the view that is shown.
import { placeWords } from '../client/status/session-words.js'
import { sessionOf } from '../client/status/views.js'
import { hashOf, views as viewNames, type Route } from './address.js'
import { usePage } from './page-context.js'
import { ConnectionBar } from './parts/connection-bar.js'
import { HelpDialog } from './parts/help-dialog.js'
import { Notices } from './parts/notices.js'
import { Dot } from './parts/tone-text.js'
import { ChangesPage } from './pages/changes.js'
import { GraphPage } from './pages/graph.js'
import { LogsPage } from './pages/logs.js'
import { Overview } from './pages/overview.js'
import { ResourcePage } from './pages/resource-page.js'
import { SessionPage } from './pages/session.js'
import { stateOf } from './title.js'

export function App() {
  const page = usePage()
  const session = sessionOf(page.views.value)
  const state = stateOf(page)
  const route = page.route.value
  const stale = page.connection.value.state === 'lost'
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <header class="top">
        <h1>
          {session?.project ?? 'devloop'}
          {session && <span class="place">{placeWords(session)}</span>}
        </h1>
        <p class={`state tone-${state.tone}`} role="status">
          <Dot tone={state.tone} />
          <span>{state.text}</span>
        </p>
        <nav aria-label="Views">
          {viewNames.map((view) => (
            <a
              key={view}
              href={hashOf({ view })}
              {...(route.view === view || (view === 'overview' && route.view === 'resource') ? { 'aria-current': 'page' } : {})}
            >
              {titles[view]}
            </a>
          ))}
          <button
            type="button"
            class="button-quiet"
            onClick={() => (page.isHelpOpen.value = true)}
            aria-label="Keys"
            title="Keys (?)"
          >
            ?
          </button>
        </nav>
      </header>
      <ConnectionBar />
      <main id="main" tabIndex={-1} class={stale ? 'stale' : ''}>
        <View route={route} />
      </main>
      <Notices />
      <HelpDialog />
    </>
  )
}

const titles = { overview: 'Overview', graph: 'Graph', changes: 'Changes', logs: 'Logs', session: 'Session' } as const

function View({ route: { view, name } }: { readonly route: Route }) {
  switch (view) {
    case 'graph':
      return <GraphPage />
    case 'changes':
      return <ChangesPage />
    case 'logs':
      return <LogsPage name={name} />
    case 'session':
      return <SessionPage />
    case 'resource':
      return <ResourcePage name={name ?? ''} key={name} />
    default:
      return <Overview />
  }
}

/** The fragment is taken: it names the view. */
function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}
