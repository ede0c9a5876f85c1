// The daemon itself: where it runs, on what, how fast it was this day, and what is wrong with the whole.
import { placeWords } from '../../client/status/session-words.js'
import { timeSpan } from '../../client/status/time-span.js'
import { sessionOf } from '../../client/status/views.js'
import type { LatencyView, SessionView } from '../../protocol/messages.js'
import { usePage } from '../page-context.js'
import { Ago } from '../parts/age.js'
import { Card, Fact, FactCard } from '../parts/card.js'
import { ErrorBlock } from '../parts/error-block.js'

export function SessionPage() {
  const page = usePage()
  const session = sessionOf(page.views.value)
  void page.logNews.value
  if (!session) return <p class="empty">Nothing is known yet.</p>
  const { runtime, devloopfile, problems, warnings = [], args, only, choices } = session
  const connection = page.connection.value
  const held = page.logs.next - page.logs.first
  return (
    <>
      <h2>Session</h2>
      {[runtime.error, devloopfile.error, ...problems].map(
        (error) => error && <ErrorBlock error={error} key={error.code + error.message} />,
      )}
      {warnings.map((error) => (
        <ErrorBlock error={error} level="warning" key={error.code + error.message} />
      ))}
      <div class="cards">
        <Times session={session} />
        <FactCard title="Devloopfile">
          <Fact name="File">
            <code>{devloopfile.file}</code>
          </Fact>
          <Fact name="State">
            {devloopfile.state}
            {devloopfile.loadMs !== undefined && `, loaded in ${timeSpan(devloopfile.loadMs)}`}
          </Fact>
          <Fact name="Plans so far">{devloopfile.generation}</Fact>
          {args.length > 0 && (
            <Fact name="Arguments">
              <code>{args.join(' ')}</code>
            </Fact>
          )}
          {only.length > 0 && <Fact name="Asked for">{only.join(', ')}</Fact>}
          {choices && (
            <Fact name="Choices">
              {Object.entries(choices)
                .map(([name, way]) => `${name}: ${way}`)
                .join(', ')}
            </Fact>
          )}
        </FactCard>
        <FactCard title="Where it runs">
          <Fact name="Runtime">{placeWords(session)}</Fact>
          <Fact name="Connection">{runtime.state}</Fact>
          <Fact name="devloop">
            {session.version}, process {session.pid}
          </Fact>
          <Fact name="Started">
            <Ago at={session.startedAt} />
          </Fact>
          <Fact name="Instance">
            <code>{session.instance}</code>
          </Fact>
        </FactCard>
        <FactCard title="This page">
          <Fact name="State">{connection.state === 'open' ? 'connected' : connection.state}</Fact>
          <Fact name="May">{connection.access === 'control' ? 'see and ask for everything' : 'see, and ask for nothing'}</Fact>
          <Fact name="Log lines held">{held.toLocaleString('en')}</Fact>
        </FactCard>
      </div>
    </>
  )
}

function Times({ session: { today } }: { readonly session: SessionView }) {
  const rows: readonly (readonly [string, LatencyView])[] = [
    ...(today?.synced ? [['Saves, synced', today.synced] as const] : []),
    ...(today?.rebuilt ? [['Saves, rebuilt', today.rebuilt] as const] : []),
  ]
  return (
    <Card title="From save to live, today">
      {rows.length === 0 ? (
        <p class="quiet">Nothing was saved yet.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">Count</th>
              <th scope="col">p50</th>
              <th scope="col">p95</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, { count, p50, p95 }]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{count}</td>
                <td>{timeSpan(p50)}</td>
                <td>{timeSpan(p95)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  )
}
