// Who a service runs as.
import type { MapNode } from './node.js'

/** `user` of a service in numbers; undefined = it says nothing, or a name, which only the image can tell. */
export function serviceUser(service: MapNode): string | undefined {
  const node = service.entries.get('user')
  const value = node?.kind === 'scalar' ? node.text.replace(/^root(?=$|:)/, '0').replace(/:root$/, ':0') : ''
  return /^\d+(?::\d+)?$/.test(value) ? value : undefined
}
