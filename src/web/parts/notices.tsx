// What is told once: that something was asked for, or could not be done.
import { usePage } from '../page-context.js'
import { Icon } from './icon.js'

export function Notices() {
  const page = usePage()
  return (
    <div class="notices" role="log" aria-live="polite" aria-label="Notices">
      {page.notices.value.map(({ id, text, error }) => (
        <div class={error ? 'notice notice-bad' : 'notice'} key={id}>
          <div>
            <p>{text}</p>
            {error?.why !== undefined && <p class="small">{error.why}</p>}
            {error && error.help !== '' && <p class="small">{error.help}</p>}
          </div>
          <button type="button" class="button-quiet" onClick={() => page.forget(id)} aria-label="Close the notice">
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  )
}
