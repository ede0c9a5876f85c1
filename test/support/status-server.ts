// A status server on real sockets in a folder of its own, with state that the test changes.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChangeView, ImageView, ResourceView, SessionView, View } from '../../src/protocol/messages.js'
import type { ServerLimits } from '../../src/server/limits.js'
import type { PageFiles } from '../../src/server/page-files.js'
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

/** A complete view of the session. */
export const sessionView = (): SessionView => ({
  kind: 'session',
  name: 'session',
  project: 'shop',
  instance: 'shop-1',
  version: '0.0.0',
  pid: 1,
  startedAt: 0,
  phase: 'running',
  args: [],
  only: [],
  runtime: { kind: 'process', state: 'connected' },
  devloopfile: { file: '/shop/Devloopfile.ts', state: 'ok', generation: 1 },
  problems: [],
  ready: true,
})

/** A complete view of an image. */
export const imageView = (name: string): ImageView => ({ kind: 'image', name, state: 'built', steps: [], files: 0, overlay: 0 })

/** A complete view of a change. */
export const changeView = (name: string): ChangeView => ({
  kind: 'change',
  name,
  at: 0,
  paths: [],
  pathCount: 0,
  outcome: 'live',
  images: [],
  resources: [],
  stages: [],
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
  readonly readToken: string
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
  readonly mask?: (text: string) => string
  readonly page?: PageFiles
  readonly preferredPort?: number
  /** What it says that devloop's is. Default 0.0.0. */
  readonly version?: string
}

/** Starts a server on a Unix socket and on loopback TCP. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'devloop-')))
  const views = options.views ?? createTestViews()
  const logs = options.logs ?? createLogRing()
  const calls: string[] = []
  const defects: unknown[] = []
  const token = 'abcdefghijklmnopqrstuvwxyz012345'
  const readToken = '543210zyxwvutsrqponmlkjihgfedcba'
  const epoch = options.epoch ?? 'epoch-1'
  const accept = (call: string): { accepted: true } => {
    calls.push(call)
    return { accepted: true }
  }
  const server = createStatusServer({
    views,
    logs,
    epoch,
    version: options.version ?? '0.0.0',
    token,
    readToken,
    socketPath: join(dir, 'd.sock'),
    tcpPort: 0,
    preferredPort: options.preferredPort,
    onDefect: (error) => defects.push(error),
    ...(options.page && { page: options.page }),
    ...(options.limits && { limits: options.limits }),
    ...(options.mask && { mask: options.mask }),
    handlers: {
      trigger: ({ resource }) => ({ ...accept(`trigger ${resource}`), resources: [resource] }),
      enable: ({ resources }) => ({ ...accept(`enable ${resources.join(' ')}`), resources, needs: [] }),
      disable: ({ resources }) => ({ ...accept(`disable ${resources.join(' ')}`), resources, neededBy: [] }),
      args: ({ args = [], choices = {} }) => ({ args, choices }),
      reload: () => accept('reload'),
      restart: ({ resource }) => accept(`restart ${resource}`),
      shutdown: ({ down }) => accept(`shutdown ${down ?? false}`),
      dump: () => ({ state: {}, plan: null, work: {}, actions: [], process: {} }),
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
    readToken,
    epoch,
    calls,
    defects,
    async close() {
      await server.close('the test is over')
      if (!options.dir) await rm(dir, { recursive: true, force: true })
    },
  }
}
