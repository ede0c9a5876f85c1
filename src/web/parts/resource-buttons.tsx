// The buttons of a resource. There are none where nothing may be asked.
import type { ResourceView } from '../../protocol/messages.js'
import { canRestart, restart, toggleEnabled, trigger } from '../actions.js'
import { usePage } from '../page-context.js'
import { Icon, type IconName } from './icon.js'

export function ResourceButtons({ resource, words = false }: { readonly resource: ResourceView; readonly words?: boolean }) {
  const page = usePage()
  const { name, status, pending } = resource
  const off = status === 'disabled'
  const one = (icon: IconName, word: string, asked: string, act: () => void, strong = false) => (
    <button
      type="button"
      class={strong ? 'button button-strong' : 'button'}
      onClick={act}
      disabled={page.asked.value.has(`${asked} ${name}`)}
      aria-label={`${word} ${name}`}
      title={`${word} ${name}`}
    >
      <Icon name={icon} />
      {words && <span>{word}</span>}
    </button>
  )
  if (page.source.frozenAt !== undefined) return null
  return (
    <div class="buttons">
      {page.may('trigger') && !off && one('trigger', 'Trigger', 'trigger', () => trigger(page, resource), pending !== undefined)}
      {page.may('restart') && canRestart(resource) && one('restart', 'Restart', 'restart', () => restart(page, resource))}
      {page.may(off ? 'enable' : 'disable') &&
        one('power', off ? 'Enable' : 'Disable', 'switch', () => toggleEnabled(page, resource))}
    </div>
  )
}
