// Views for tests of what the command line shows.
import type { ErrorInfo } from '../../../src/errors/devloop-error.js'
import type { ChangeView, LogEntry, ResourceView, SessionView, View } from '../../../src/protocol/messages.js'

export const session = (over: Partial<SessionView> = {}): SessionView => ({
  kind: 'session',
  name: 'session',
  project: 'shop',
  instance: 'i0123456789',
  version: '0.1.0',
  pid: 1,
  startedAt: 0,
  phase: 'running',
  args: [],
  only: [],
  runtime: { kind: 'kubernetes', state: 'connected', context: 'kind-dev', namespace: 'dev-ann' },
  devloopfile: { file: '/p/Devloopfile.ts', state: 'ok', generation: 1 },
  problems: [],
  ready: false,
  ...over,
})

let order = 0
export const resource = (name: string, over: Partial<ResourceView> = {}): ResourceView => ({
  kind: 'resource',
  name,
  type: 'app',
  order: order++,
  status: 'ready',
  ready: over.status === undefined || over.status === 'ready',
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
  ...over,
})

export const change = (name: string, over: Partial<ChangeView> = {}): ChangeView => ({
  kind: 'change',
  name,
  at: 1000,
  paths: ['services/api/src/server.js'],
  pathCount: 1,
  outcome: 'pending',
  images: [{ image: 'shop/api', action: 'sync', why: 'src/server.js: sync("src", "/app/src")' }],
  resources: [],
  stages: [{ stage: 'seen', ms: 3 }],
  ...over,
})

export const endpoint = (port: number): ResourceView['endpoints'][number] => ({
  name: 'http',
  url: `http://localhost:${port}`,
  state: 'listening',
})

export const buildError: ErrorInfo = {
  code: 'build/failed',
  message: 'shop/api could not be built: RUN npm ci failed with exit code 1',
  where: { file: '/p/services/api/Dockerfile', line: 7 },
  why: 'npm error code ENOENT\nnpm error path /app/package.json\nnpm error errno -2',
  help: 'Correct the Dockerfile line, or the source that it compiles.',
}

export const asMap = (...views: readonly View[]): ReadonlyMap<string, View> =>
  new Map(views.map((view) => [`${view.kind}/${view.name}`, view]))

let cursor = 0
export const line = (resource: string, text: string, over: Partial<LogEntry> = {}): LogEntry => ({
  cursor: ++cursor,
  at: 0,
  resource,
  source: `${resource}-5d8f-abcde`,
  level: 'info',
  text,
  ...over,
})

/** A shop in the middle of a day. */
export const shop = (): View[] => [
  session(),
  resource('db', { endpoints: [endpoint(5432)] }),
  resource('api', {
    endpoints: [endpoint(8080)],
    lastChange: { id: 'c1', at: 1000, outcome: 'live', liveMs: 24 },
  }),
  resource('web', {
    status: 'failed',
    error: buildError,
    hold: { code: 'failed', message: 'the build of shop/web failed; a change or a trigger tries again' },
    lastChange: { id: 'c2', at: 4000, outcome: 'failed' },
  }),
  resource('worker', { status: 'pending', hold: { code: 'needs', message: 'it needs web' } }),
  change('c1', {
    outcome: 'live',
    liveMs: 24,
    stages: [
      { stage: 'seen', ms: 3 },
      { stage: 'sent', ms: 6 },
      { stage: 'written', ms: 12 },
      { stage: 'restarted', ms: 21 },
      { stage: 'live', ms: 24 },
    ],
  }),
]
