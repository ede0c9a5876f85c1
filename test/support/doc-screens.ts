// The screens that docs/terminal.md shows: made by the code that draws them, of a project that could be.
import { plainStyle } from '../../src/cli/render/style.js'
import { keyTable } from '../../src/cli/screen/key-table.js'
import { createLogBuffer } from '../../src/cli/screen/log-buffer.js'
import { renderScreen } from '../../src/cli/screen/render-screen.js'
import { initialState, type ScreenState } from '../../src/cli/screen/screen-state.js'
import type { LogEntry, View } from '../../src/protocol/messages.js'
import { change, endpoint, resource, session } from '../unit/cli/views.js'

const now = Date.UTC(2026, 0, 5, 14, 3, 30)
const ago = (seconds: number): number => now - seconds * 1000
const quit = { word: 'quit', text: 'end devloop' }

const stages = [
  { stage: 'seen', ms: 3 },
  { stage: 'sent', ms: 6 },
  { stage: 'written', ms: 12 },
  { stage: 'restarted', ms: 21 },
  { stage: 'live', ms: 24 },
]
const views: View[] = [
  session({
    startedAt: ago(7200),
    today: { synced: { count: 41, p50: 24, p95: 61 }, rebuilt: { count: 3, p50: 1600, p95: 2000 } },
  }),
  resource('db', { labels: ['backend'], endpoints: [endpoint(5432)], since: ago(7100) }),
  resource('api', {
    labels: ['backend'],
    images: ['shop/api'],
    needs: ['db'],
    endpoints: [endpoint(8080)],
    since: ago(7000),
    lastChange: { id: 'c41', at: ago(20), outcome: 'live', liveMs: 24 },
    links: [{ to: 'db', address: 'db:5432', state: 'ok' }],
    pods: [
      {
        name: 'api-6d5f8-x2kqp',
        phase: 'running',
        current: true,
        ready: true,
        restarts: 0,
        containers: [{ name: 'api', kind: 'main', state: 'running', restarts: 0 }],
        targets: [{ container: 'api', image: 'shop/api', state: 'in-sync', behind: 0, transport: 'the agent in the pod' }],
      },
    ],
  }),
  resource('web', {
    labels: ['frontend'],
    images: ['shop/web'],
    needs: ['api'],
    status: 'failed',
    since: ago(4),
    error: {
      code: 'build/failed',
      message: 'shop/web could not be built: RUN npm ci failed with exit code 1',
      where: { file: '/home/ann/shop/services/web/Dockerfile', line: 7 },
      why: 'npm error code EUSAGE\nnpm error `npm ci` needs package.json and package-lock.json to be in sync',
      help: 'Correct the Dockerfile line, or the source that it compiles.',
    },
    hold: { code: 'failed', message: 'the build of shop/web failed; a change or a trigger tries again' },
    lastChange: { id: 'c42', at: ago(6), outcome: 'failed' },
  }),
  resource('docs', { labels: ['frontend'], type: 'local', endpoints: [endpoint(5173)], since: ago(7000) }),
  {
    kind: 'image',
    name: 'shop/api',
    state: 'built',
    builtAt: ago(5000),
    buildMs: 1600,
    files: 210,
    overlay: 3,
    steps: [{ name: '[1/3] FROM node:22', state: 'cached' }],
  },
  {
    kind: 'image',
    name: 'shop/web',
    state: 'failed',
    reason: 'services/web/package.json: rebuildOn("package.json")',
    buildMs: 2100,
    files: 96,
    overlay: 0,
    context: { files: 96, sentFiles: 1, sentBytes: 1290 },
    steps: [
      { name: '[1/4] FROM node:22', state: 'cached' },
      { name: '[2/4] COPY package.json package-lock.json ./', state: 'done', ms: 120 },
      { name: '[3/4] RUN npm ci', state: 'failed', ms: 1800, tail: ['npm error code EUSAGE'] },
    ],
  },
  change('c41', {
    at: ago(20),
    paths: ['services/api/src/server.js'],
    outcome: 'live',
    liveMs: 24,
    resources: ['api'],
    stages,
  }),
]
const said = (seconds: number, name: string, text: string, over: Partial<LogEntry> = {}): LogEntry => ({
  cursor: 10_000 - seconds,
  at: ago(seconds),
  resource: name,
  source: `${name}-6d5f8-x2kqp/${name}`,
  level: 'info',
  text,
  ...over,
})
const lines = [
  said(21, 'api', 'GET /cart 200 4 ms'),
  said(20, 'api', 'synced services/api/src/server.js', { source: 'sync' }),
  said(19, 'api', 'listening on 8080'),
  said(12, 'api', 'GET /cart 200 5 ms'),
  said(11, 'api', 'ERROR: no stock for item 17', { level: 'error' }),
  said(10, 'api', 'POST /cart/items 409 3 ms'),
  said(6, '', 'building shop/web: services/web/package.json changed', { source: 'build' }),
  said(5, 'db', 'checkpoint complete: wrote 12 buffers'),
  said(4, '', 'shop/web: RUN npm ci failed with exit code 1', { source: 'build', level: 'error' }),
  said(2, 'api', 'GET /cart 200 4 ms'),
]

function screen(columns: number, rows: number, state: Partial<ScreenState> = {}): string {
  const log = createLogBuffer(100)
  const { selected } = state
  log.add({ lines: lines.filter((line) => selected === undefined || line.resource === selected), dropped: 0 })
  const model = {
    views: new Map(views.map((view) => [`${view.kind}/${view.name}`, view])),
    log,
    state: { ...initialState, ...state },
    quit,
  }
  const text = renderScreen(model, { columns, rows, style: plainStyle, now }).lines.map((line) => line.trimEnd())
  return ['```text', ...text, '```'].join('\n')
}

/** By name, as Markdown. Times are those of the time zone of the process. */
export const docScreens = (): Readonly<Record<string, string>> => ({
  start: screen(80, 24),
  details: screen(80, 24, { selected: 'web', pane: 'details', zoom: true }),
  search: screen(100, 12, { selected: 'api', zoom: true, search: 'cart', at: 10_000 - 10 }),
  wide: screen(160, 26, { selected: 'api' }),
  small: screen(40, 10),
  keys: [
    '| key | |',
    '| --- | --- |',
    ...keyTable(quit).map(({ keys, text }) => `| \`${keys.replace(' ', '` `')}\` | ${text} |`),
  ].join('\n'),
})
