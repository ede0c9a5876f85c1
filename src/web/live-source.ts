// The daemon that serves this page, by the client library.
import { browserSocket } from '../client/browser-socket.js'
import { createDevloopClient } from '../client/devloop-client.js'
import { DevloopError, type ErrorInfo } from '../errors/devloop-error.js'
import type { Connection, PageSource, SourceListener } from './source.js'

/** As many lines as the daemon can have kept. */
const wholeLog = 1_000_000
/** When it is asked why there is no connection: not while a daemon that ends still answers. Milliseconds. */
const firstLookMs = 500
const nextLookMs = 3_000

/**
 * @param url of the daemon, such as `http://127.0.0.1:41000`
 * @param token undefined = the address had none, and nothing is tried
 */
export function createLiveSource(url: string, token: string | undefined): PageSource {
  if (token === undefined) return withoutToken
  let listener: SourceListener | undefined
  let wasOpen = false
  let refused: ErrorInfo | undefined
  let looking: ReturnType<typeof setTimeout> | undefined
  const client = createDevloopClient({
    endpoint: () => ({ url, token }),
    name: `devloop page ${__DEVLOOP_VERSION__}`,
    createSocket: browserSocket,
  })
  client.onViews(() => listener?.views())
  client.onState((state) => {
    if (state === 'open') {
      wasOpen = true
      refused = undefined
      clearTimeout(looking)
      looking = undefined
    } else looking ??= setTimeout(lookWhy, firstLookMs)
    listener?.connection()
  })
  client.logs({ tail: wholeLog }, ({ lines, dropped }) => listener?.logs({ lines, dropped }))

  /** A browser does not tell a refused WebSocket from one that nobody answers: whether somebody does is asked beside it. */
  async function lookWhy(): Promise<void> {
    const answers = await fetch('/healthz', { cache: 'no-store' }).then(
      (answer) => answer.ok,
      () => false,
    )
    if (client.state === 'open') return
    looking = setTimeout(lookWhy, nextLookMs)
    const next = answers ? tokenRefused : undefined
    if (next === refused) return
    refused = next
    listener?.connection()
  }

  function stateNow(): Connection['state'] {
    if (client.state === 'open') return 'open'
    // closed for good: another major version of the protocol, which a newer page speaks
    if (refused || client.state === 'closed') return 'refused'
    return wasOpen || client.error ? 'lost' : 'connecting'
  }

  return {
    start(next) {
      listener = next
      next.connection()
      next.views()
    },
    connection: () => ({
      state: stateNow(),
      ...optional('error', refused ?? client.error),
      ...optional('daemon', client.daemon),
      access: client.access ?? 'read',
    }),
    views: client.views,
    may: (method) => client.state === 'open' && client.methods.includes(method),
    request: (method, params) => client.request(method, params),
  }
}

const optional = <K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: T }

const openAgain = 'Run `devloop open` in the folder of the project: it opens this page with the token in its address.'

const tokenRefused: ErrorInfo = new DevloopError(
  'protocol/unauthorized',
  'devloop runs here, and does not take the token of this page.',
  { help: openAgain },
).info

const noToken: Connection = {
  state: 'refused',
  error: new DevloopError('protocol/unauthorized', 'The address of this page is without its token.', { help: openAgain }).info,
  access: 'read',
}

const withoutToken: PageSource = {
  start: (listener) => listener.connection(),
  connection: () => noToken,
  views: () => new Map(),
  may: () => false,
  request: () => Promise.reject(new DevloopError('protocol/unauthorized', 'This page is not connected.')),
}
