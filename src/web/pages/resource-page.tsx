// One resource, whole.
import { linkName, note, podWords, statusMark, targetWords } from '../../client/status/resource-words.js'
import { changesFor, imagesUsed } from '../../client/status/views.js'
import type { ContainerView, PodView, ResourceView } from '../../protocol/messages.js'
import { hashOf } from '../address.js'
import { usePage } from '../page-context.js'
import { Ago } from '../parts/age.js'
import { BuildSteps } from '../parts/build-steps.js'
import { Card, Fact, FactCard } from '../parts/card.js'
import { ChangeItem } from '../parts/change-item.js'
import { Endpoints } from '../parts/endpoints.js'
import { ErrorBlock } from '../parts/error-block.js'
import { LogPane } from '../parts/log-pane.js'
import { ResourceButtons } from '../parts/resource-buttons.js'
import { Dot, ToneText } from '../parts/tone-text.js'

/** So many of the newest changes. */
const shownChanges = 8

export function ResourcePage({ name }: { readonly name: string }) {
  const page = usePage()
  const views = page.views.value
  const resource = views.get(`resource/${name}`)
  if (resource?.kind !== 'resource') return <p class="empty">There is no resource {name}.</p>
  const mark = statusMark(resource)
  const images = imagesUsed(views, [resource])
  const changes = changesFor(views, resource).slice(-shownChanges).toReversed()
  const errors = [resource.error, ...resource.endpoints.map((one) => one.error)].filter((error) => error !== undefined)
  const said = note(resource)
  return (
    <div class="resource" data-resource={name}>
      <div class="resource-head">
        <h2>
          <Dot tone={mark.tone} />
          {name} <span class="row-type">{resource.type}</span>
        </h2>
        <ToneText text={resource.status} tone={mark.tone} />
        <span class="quiet small">
          <Ago at={resource.since} />
        </span>
        <ResourceButtons resource={resource} words />
      </div>
      {errors.length === 0 && <ToneText {...said} class="resource-note" />}
      {errors.map((error) => (
        <ErrorBlock error={error} key={error.code + error.message} />
      ))}
      {resource.warnings.map((error) => (
        <ErrorBlock error={error} level="warning" key={error.code + error.message} />
      ))}
      <Pending resource={resource} />
      <div class="cards">
        <Facts resource={resource} />
        {resource.links && resource.links.length > 0 && <Links resource={resource} />}
        {resource.pods.length > 0 && (
          <Card title="Pods and containers">
            {resource.pods.map((pod) => (
              <Pod pod={pod} key={pod.name} />
            ))}
          </Card>
        )}
        {images.length > 0 && (
          <Card title={images.length === 1 ? 'Image' : 'Images'}>
            {images.map((image) => (
              <BuildSteps image={image} key={image.name} />
            ))}
          </Card>
        )}
      </div>
      {changes.length > 0 && (
        <Card title="Newest changes">
          <ul class="changes">
            {changes.map((change) => (
              <ChangeItem change={change} key={change.name} />
            ))}
          </ul>
        </Card>
      )}
      <Card title="Log">
        <LogPane resource={name} />
      </Card>
    </div>
  )
}

function Pending({ resource: { pending } }: { readonly resource: ResourceView }) {
  if (!pending) return null
  const more = pending.pathCount - pending.paths.length
  return (
    <article class="trouble trouble-warning">
      <p class="trouble-what">
        <span class="badge badge-warning">waits</span> These wait for a trigger:
      </p>
      <ul class="paths">
        {[...pending.paths, ...pending.reasons].map((one) => (
          <li key={one}>
            <code>{one}</code>
          </li>
        ))}
        {more > 0 && <li>and {more} more</li>}
      </ul>
    </article>
  )
}

function Facts({ resource }: { readonly resource: ResourceView }) {
  const { endpoints, labels, needs, rebuildAfter, auto, trigger, disabled, debug } = resource
  const whose = { request: 'by a request', plan: 'by the Devloopfile', watch: 'by the command line' }
  return (
    <FactCard title="About">
      {endpoints.length > 0 && (
        <Fact name={endpoints.length === 1 ? 'Address' : 'Addresses'}>
          <Endpoints endpoints={endpoints} />
        </Fact>
      )}
      {labels.length > 0 && <Fact name="Labels">{labels.join(', ')}</Fact>}
      {needs.length > 0 && (
        <Fact name="Needs">
          <Names names={needs} />
        </Fact>
      )}
      {rebuildAfter.length > 0 && (
        <Fact name="Comes after">
          <Names names={rebuildAfter} />
        </Fact>
      )}
      <Fact name="Starts">{auto ? 'by itself' : 'when it is triggered'}</Fact>
      <Fact name="Changes">{trigger === 'auto' ? 'are acted on at once' : 'wait for a trigger'}</Fact>
      {disabled && <Fact name="Disabled">{whose[disabled]}</Fact>}
      {debug && (
        <Fact name="Debugger">
          {debug.language} at{' '}
          <code>
            {debug.host}:{debug.port}
          </code>
        </Fact>
      )}
    </FactCard>
  )
}

const Names = ({ names }: { readonly names: readonly string[] }) => (
  <>
    {names.map((name) => (
      <a class="chip" href={hashOf({ view: 'resource', name })} key={name}>
        {name}
      </a>
    ))}
  </>
)

function Pod({ pod }: { readonly pod: PodView }) {
  const words = podWords(pod)
  return (
    <div class={pod.current ? 'pod' : 'pod pod-old'}>
      <h4>
        <Dot tone={words.tone} />
        <code>{pod.name}</code> <ToneText {...words} class="small" />
        {!pod.current && <span class="quiet small">of an older deploy</span>}
      </h4>
      <ul class="containers">
        {pod.containers.map((one) => (
          <li key={one.name}>
            <code>{one.name}</code>
            {one.kind !== 'main' && <span class="row-type">{one.kind}</span>}{' '}
            <span class="quiet small">{containerWords(one)}</span>
            {pod.targets
              .filter(({ container }) => container === one.name)
              .map((target) => (
                <span class="target" key={target.image}>
                  <ToneText {...targetWords(target)} />
                  {target.transport !== undefined && <span class="quiet small">{target.transport}</span>}
                  {target.returns && <span class="quiet small">back: {target.returns.how}</span>}
                </span>
              ))}
            {one.error && <ErrorBlock error={one.error} />}
          </li>
        ))}
      </ul>
      {pod.targets.map(
        ({ container, error, returns }) =>
          (error ?? returns?.error) && <ErrorBlock error={(error ?? returns?.error)!} subjects={[container]} key={container} />,
      )}
    </div>
  )
}

const containerWords = ({ state, exitCode, restarts }: ContainerView): string =>
  [
    exitCode === undefined ? state : `${state} with ${exitCode}`,
    ...(restarts > 0 ? [`${restarts} restart${restarts === 1 ? '' : 's'}`] : []),
  ].join(', ')

const Links = ({ resource: { links = [] } }: { readonly resource: ResourceView }) => (
  <Card title="Ways to other apps">
    <ul class="links">
      {links.map((link) => (
        <li key={link.to + link.address}>
          <Dot tone={link.state === 'ok' ? 'good' : link.state === 'failed' ? 'bad' : 'warn'} />
          <a href={hashOf({ view: 'resource', name: link.to })}>{linkName(link)}</a>{' '}
          <ToneText text={link.state} tone={link.state === 'ok' ? 'good' : link.state === 'failed' ? 'bad' : 'warn'} />
          {link.why !== undefined && <p class="quiet small">{link.why}</p>}
        </li>
      ))}
    </ul>
  </Card>
)
