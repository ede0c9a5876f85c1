// What is to be known of the connection, where it is not as it should be.
import { usePage } from '../page-context.js'
import { ErrorBlock } from './error-block.js'

export function ConnectionBar() {
  const page = usePage()
  const { state, error, daemon } = page.connection.value
  if (state === 'frozen')
    return (
      <p class="bar bar-quiet">
        As it was on {new Date(page.source.frozenAt ?? 0).toLocaleString()}. This is a file; nothing in it changes.
      </p>
    )
  if (state === 'open')
    return daemon && daemon.version !== __DEVLOOP_VERSION__ ? (
      <p class="bar bar-warn">
        devloop is now of version {daemon.version}, and this page of {__DEVLOOP_VERSION__}.{' '}
        <button type="button" class="button" onClick={() => location.reload()}>
          Load it again
        </button>
      </p>
    ) : null
  if (state === 'connecting') return <p class="bar bar-quiet">Connecting …</p>
  if (state === 'refused') return <div class="bar">{error && <ErrorBlock error={error} />}</div>
  return (
    <div class="bar bar-bad" role="alert">
      <p>
        <b>Not connected.</b> devloop does not answer: it ended, or is being restarted. What is shown is the last that was known.
        This page tries again by itself.
      </p>
      {error?.why !== undefined && <p class="small">{error.why}</p>}
    </div>
  )
}
