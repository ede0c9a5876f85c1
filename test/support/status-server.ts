// A status server on real sockets in a folder of its own, with state that the test changes.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ResourceView, View } from '../../src/protocol/messages.js'
import type { ServerLimits } from '../../src/server/limits.js'
import type { RequestHandlers } from '../../src/server/request-handlers.js'
import { createStatusServer, type StatusServer } from '../../src/server/server.js'
import type { ViewSource } from '../../src/server/view-source.js'
import { createLogRing, type LogRing } from '../../src/store/log-ring.js'

export interface TestViews extends ViewSource {
  set(...views: View[]): void
  remove(...keys: string[]): void
  /** A new map with the same views, as a store makes after a change that does not show. */
  bump(): void
}

/** Views that keep their identity while unchanged, as the store's do. */
export function createTestViews(): TestViews {
  let views: ReadonlyMap<string, View> = new Map()
  let seq = 0
  const callbacks = new Set<() => void>()
  const change = (edit: (views: Map<string, View>) => void): void => {
    const next = new Map(views)
    edit(next)
    views = next
    seq++
    for (const callback of callbacks) callback()
  }
  return {
    views: () => views,
    seq: () => seq,
    subscribe(callback) {
      callbacks.add(callback)
      return () => void callbacks.delete(callback)
    },
    set: (...added) => change((map) => added.forEach((view) => map.set(`${view.kind}/${view.name}`, view))),
    remove: (...keys) => change((map) => keys.forEach((key) => map.delete(key))),
    bump: () => change(() => undefined),
  }
}

/** A complete view of a resource. */
export const resourceView = (name: string, activity?: string): ResourceView => ({
  kind: 'resource',
  name,
  type: 'app',
  order: 0,
  status: 'ready',
  ready: true,
  ...(activity !== undefined && { activity }),
  warnings: [],
  images: [],
  needs: [],
  rebuildAfter: [],
  labels: [],
  auto: true,
  trigger: 'auto',
  endpoints: [],
  pods: [],
  since: 0,
})

export interface TestServer {
  readonly server: StatusServer
  readonly views: TestViews
  readonly logs: LogRing
  readonly dir: string
  readonly socket: string
  readonly url: string
  readonly port: number
  readonly token: string
  readonly epoch: string
  /** Requests that reached a handler, such as `trigger api`. */
  readonly calls: string[]
  readonly defects: unknown[]
  close(): Promise<void>
}

export interface TestServerOptions {
  readonly limits?: Partial<ServerLimits>
  readonly handlers?: Partial<RequestHandlers>
  readonly epoch?: string
  readonly views?: TestViews
  readonly logs?: LogRing
  readonly dir?: string
}

/** Starts a server on a Unix socket and on loopback TCP. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'devloop-')))
  const views = options.views ?? createTestViews()
  const logs = options.logs ?? createLogRing()
  const calls: string[] = []
  const defects: unknown[] = []
  const token = 'abcdefghijklmnopqrstuvwxyz012345'
  const epoch = options.epoch ?? 'epoch-1'
  const accept = (call: string): { accepted: true } => {
    calls.push(call)
    return { accepted: true }
  }
  const server = createStatusServer({
    views,
    logs,
    epoch,
    version: '0.0.0',
    token,
    socketPath: join(dir, 'd.sock'),
    tcpPort: 0,
    onDefect: (error) => defects.push(error),
    ...(options.limits && { limits: options.limits }),
    handlers: {
      trigger: ({ resource }) => ({ ...accept(`trigger ${resource}`), resources: [resource] }),
      enable: ({ resources }) => ({ ...accept(`enable ${resources.join(' ')}`), resources, needs: [] }),
      disable: ({ resources }) => ({ ...accept(`disable ${resources.join(' ')}`), resources, neededBy: [] }),
      args: ({ args = [], choices = {} }) => ({ args, choices }),
      reload: () => accept('reload'),
      restart: ({ resource }) => accept(`restart ${resource}`),
      shutdown: ({ down }) => accept(`shutdown ${down ?? false}`),
      prune: ({ dryRun }) => {
        calls.push(`prune ${dryRun ?? false}`)
        return { removed: [], kept: 0, problems: [], interrupted: false }
      },
      why: ({ path }) => ({ path, answers: [] }),
      exec: () => ({ runtime: 'process', cwd: '/', env: {} }),
      verify: ({ resource }) => {
        calls.push(`verify ${resource ?? ''}`)
        return { targets: [] }
      },
      ...options.handlers,
    },
  })
  const { socket, url } = await server.start()
  return {
    server,
    views,
    logs,
    dir,
    socket,
    url: url!,
    port: Number(new URL(url!).port),
    token,
    epoch,
    calls,
    defects,
    async close() {
      await server.close('the test is over')
      if (!options.dir) await rm(dir, { recursive: true, force: true })
    },
  }
}
