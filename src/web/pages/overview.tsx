// All resources: what is wrong, then every one by label, the broken first.
import { resourceGroups } from '../../client/status/groups.js'
import { changeWords, note, statusMark } from '../../client/status/resource-words.js'
import { countWords } from '../../client/status/session-words.js'
import { timeSpan } from '../../client/status/time-span.js'
import { troublesOf } from '../../client/status/troubles.js'
import { changesOf, resourcesOf, sessionOf } from '../../client/status/views.js'
import type { LatencyView, ResourceView } from '../../protocol/messages.js'
import { hashOf } from '../address.js'
import { usePage } from '../page-context.js'
import { Endpoints } from '../parts/endpoints.js'
import { ErrorBlock } from '../parts/error-block.js'
import { ResourceButtons } from '../parts/resource-buttons.js'
import { Dot, ToneText } from '../parts/tone-text.js'

export function Overview() {
  const page = usePage()
  const views = page.views.value
  const session = sessionOf(views)
  if (!session) return <p class="empty">Nothing is known yet.</p>
  const troubles = troublesOf(views)
  const groups = resourceGroups(views)
  return (
    <>
      <Figures />
      {troubles.length > 0 && (
        <section aria-labelledby="troubles">
          <h2 id="troubles">What is wrong</h2>
          {troubles.map((trouble) => (
            <ErrorBlock
              {...trouble}
              folded={trouble.level === 'warning'}
              key={`${trouble.error.code} ${trouble.error.message} ${trouble.subjects.join()}`}
            />
          ))}
        </section>
      )}
      {groups.map(({ label, resources }) => (
        <section key={label ?? ''} aria-label={label ?? 'Resources'}>
          <h2>
            {label ?? (groups.length > 1 ? 'Without label' : 'Resources')} <span class="count">{resources.length}</span>
          </h2>
          <ul class="rows">
            {resources.map((one) => (
              <Row resource={one} key={one.name} />
            ))}
          </ul>
        </section>
      ))}
      {groups.length === 0 && session.devloopfile.generation > 0 && <p class="empty">The Devloopfile has no resources.</p>}
    </>
  )
}

function Row({ resource }: { readonly resource: ResourceView }) {
  const page = usePage()
  const { name, type, status } = resource
  const mark = statusMark(resource)
  return (
    <li class={`row row-${status}`} data-resource={name}>
      <Dot tone={mark.tone} />
      <a class="row-name" data-row href={hashOf({ view: 'resource', name })}>
        {name}
      </a>
      <span class="row-type">{type}</span>
      <ToneText text={status} tone={mark.tone} class="row-status" />
      <span class="row-note">
        <ToneText {...note(resource)} />
      </span>
      <ToneText {...changeWords(resource, page.now.value)} class="row-change" />
      <span class="row-endpoints">
        <Endpoints endpoints={resource.endpoints} />
      </span>
      <ResourceButtons resource={resource} />
    </li>
  )
}

/** The whole in a few numbers. */
function Figures() {
  const views = usePage().views.value
  const session = sessionOf(views)
  if (!session) return null
  const last = changesOf(views).findLast((one) => one.liveMs !== undefined)
  const [ready, ...more] = countWords(session, resourcesOf(views))
  return (
    <dl class="figures">
      <div>
        <dt>Resources</dt>
        <dd class="figure">{ready ?? '…'}</dd>
        <dd class="quiet">{more.join(', ') || (session.ready ? 'all that start by themselves' : 'not all yet')}</dd>
      </div>
      {last?.liveMs !== undefined && (
        <div>
          <dt>Last save</dt>
          <dd class="figure">{timeSpan(last.liveMs)}</dd>
          <dd class="quiet">until it was live</dd>
        </div>
      )}
      <Day times={session.today?.synced} what="Saves" />
      <Day times={session.today?.rebuilt} what="Rebuilds" />
    </dl>
  )
}

const Day = ({ times, what }: { readonly times: LatencyView | undefined; readonly what: string }) =>
  times ? (
    <div>
      <dt>{what} today</dt>
      <dd class="figure">{timeSpan(times.p50)}</dd>
      <dd class="quiet">
        p50 of {times.count}; p95 {timeSpan(times.p95)}
      </dd>
    </div>
  ) : null
