// What clients can ask for.
import { DevloopError } from '../errors/devloop-error.js'
import { didYouMean, listed } from '../errors/did-you-mean.js'
import type { ControlContext } from '../control/context.js'
import type { Requests } from '../protocol/messages.js'
import type { RequestHandlers } from '../server/request-handlers.js'
import { explainPath } from './why.js'

export function createRequests(
  context: ControlContext,
  shutdown: (params: Requests['shutdown']['params']) => void,
): RequestHandlers {
  const { store } = context
  const known = (resource: string): void => {
    const names = Object.keys(store.state().resources)
    if (names.includes(resource)) return
    throw new DevloopError('request/unknown-resource', `there is no resource ${JSON.stringify(resource)}`, {
      why: names.length > 0 ? (didYouMean(resource, names) ?? `There are ${listed(names)}.`) : 'No plan is in force yet.',
    })
  }
  const accepted = { accepted: true } as const
  return {
    trigger({ resource }) {
      known(resource)
      store.dispatch({ type: 'request/trigger', resource })
      return accepted
    },
    reload() {
      store.dispatch({ type: 'devloopfile/changed' })
      return accepted
    },
    restart({ resource }) {
      known(resource)
      store.dispatch({ type: 'request/restart', resource })
      return accepted
    },
    shutdown(params) {
      // after the reply
      setTimeout(() => shutdown(params), 20)
      return accepted
    },
    why: ({ path }) => explainPath(context, path),
  }
}
