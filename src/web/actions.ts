// What can be asked of the daemon for a resource.
import type { ResourceView } from '../protocol/messages.js'
import type { PageState } from './page-state.js'

/** Whether its process can be replaced. */
export const canRestart = ({ type, status, pods }: ResourceView): boolean =>
  status !== 'disabled' && status !== 'removing' && type !== 'config' && (type === 'local' || pods.length > 0)

export function trigger(page: PageState, { name, pending }: ResourceView): void {
  const done = pending ? `the changes of ${name} are let go` : `${name} is triggered`
  page.ask(`trigger ${name}`, 'trigger', { resource: name }, done)
}

export const restart = (page: PageState, { name }: ResourceView): void =>
  page.ask(`restart ${name}`, 'restart', { resource: name }, `${name} is being restarted`)

/** Enables what is disabled, and the other way round. */
export function toggleEnabled(page: PageState, { name, status }: ResourceView): void {
  const method = status === 'disabled' ? 'enable' : 'disable'
  if (page.may(method)) page.ask(`switch ${name}`, method, { resources: [name] }, `${name} is ${method}d`)
}
