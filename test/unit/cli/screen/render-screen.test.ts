import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { colourStyle, plainStyle, screenStyle } from '../../../../src/cli/render/style.js'
import { createLogBuffer, type LogBuffer } from '../../../../src/cli/screen/log-buffer.js'
import { renderScreen, type Frame } from '../../../../src/cli/screen/render-screen.js'
import { initialState, type ScreenState } from '../../../../src/cli/screen/screen-state.js'
import type { ImageView, LogEntry, View } from '../../../../src/protocol/messages.js'
import { asMap, buildError, change, endpoint, line, resource, session, shop } from '../views.js'

const logOf = (...lines: readonly LogEntry[]): LogBuffer => {
  const log = createLogBuffer(1000)
  log.add({ lines, dropped: 0 })
  return log
}
const someLog = logOf(
  line('', 'building shop/web: not built yet', { source: 'build' }),
  line('api', 'GET / 200 日本語 \x1b[31mred\x1b[2J'),
  line('api', 'x'.repeat(300)),
)
const quit = { word: 'quit', text: 'end devloop' }

interface Look extends Partial<ScreenState> {
  readonly columns?: number
  readonly rows?: number
  readonly log?: LogBuffer
}

function frame(views: readonly View[], { columns = 80, rows = 24, log = someLog, ...state }: Look = {}): Frame {
  const model = { views: asMap(...views), log, state: { ...initialState, ...state }, quit }
  return renderScreen(model, { columns, rows, style: plainStyle, now: 6000 })
}
const screen = (views: readonly View[], look: Look = {}): string =>
  frame(views, look)
    .lines.join('\n')
    // local time
    .replace(/\d\d:\d\d:\d\d/g, 'HH:MM:SS')

const web: ImageView = {
  kind: 'image',
  name: 'shop/web',
  state: 'building',
  reason: 'services/web/package.json: rebuildOn("package.json")',
  stage: 'build',
  files: 40,
  overlay: 0,
  steps: [
    { name: '[1/4] FROM node:22', state: 'cached' },
    { name: '[2/4] COPY package.json .', state: 'done', ms: 120 },
    { name: '[3/4] RUN npm ci', state: 'running', startedAt: 1000, tail: ['added 120 packages', '\x1b[32mdone\x1b[0m'] },
  ],
}
/** A resource of which there is everything to tell. */
const full = resource('web', {
  status: 'updating',
  activity: 'building shop/web [3/4] RUN npm ci',
  images: ['shop/web'],
  needs: ['db'],
  labels: ['front'],
  endpoints: [endpoint(3000), { ...endpoint(9229), name: 'debug', state: 'waiting' }],
  links: [{ to: 'db', address: 'db:5432', state: 'failed', why: 'connection refused' }],
  warnings: [{ code: 'sync/no-shell', message: 'shop/web has no shell', help: 'Use another base.' }],
  debug: { language: 'node', host: '127.0.0.1', port: 9229 },
  lastChange: { id: 'c9', at: 2500, outcome: 'pending' },
  pods: [
    {
      name: 'web-7c9f-abcde',
      phase: 'running',
      current: true,
      ready: true,
      restarts: 1,
      containers: [
        { name: 'wait', kind: 'init', state: 'ended', exitCode: 0, restarts: 0 },
        { name: 'web', kind: 'main', state: 'running', restarts: 1 },
      ],
      targets: [{ container: 'web', image: 'shop/web', state: 'behind', behind: 3, transport: 'agent in the pod' }],
    },
  ],
})
const filled = [
  session({ today: { synced: { count: 41, p50: 24, p95: 61 }, rebuilt: { count: 3, p50: 1600, p95: 2000 } } }),
  resource('db', { endpoints: [endpoint(5432)], labels: ['data'] }),
  full,
  web,
  change('c9', {
    at: 2500,
    paths: ['services/web/package.json'],
    images: [{ image: 'shop/web', action: 'rebuild', why: 'package.json: rebuildOn("package.json")' }],
    resources: ['web'],
  }),
]

describe('renderScreen', () => {
  it('at 80 by 24', () =>
    expect(screen(shop())).toMatchInlineSnapshot(`
    "› shop on kind-dev/dev-ann: 2 of 4 ready
      ✗ web     failed   last save failed  shop/api could not be built: RUN npm ci …
      ● db      ready                      http://localhost:5432
      ● api     ready    live in 24 ms     http://localhost:8080
      ○ worker  pending                    it needs web
    ── all: log ────────────────────────────────────────────────────────────────────
    ✗ web: shop/api could not be built: RUN npm ci failed with exit code 1
      [build/failed]
        at /p/services/api/Dockerfile:7
        npm error code ENOENT
        npm error path /app/package.json
        npm error errno -2
        Correct the Dockerfile line, or the source that it compiles.
    build │ building shop/web: not built yet
    api │ GET / 200 日本語 red
    api │ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…






    services/api/src/server.js live in 24 ms: seen +3 ms, sent +3 ms, written +6 ms…
    ↑↓ select  ⏎ open  Tab log/details  / search  t trigger  ? help  q quit"
  `))
  it('at 40 by 10, where what goes wrong must be short', () =>
    expect(screen(shop(), { columns: 40, rows: 10 })).toMatchInlineSnapshot(`
      "› shop on kind-dev/dev-ann: 2 of 4 ready
        ✗ web     failed   shop/api could not…
        ● db      ready
        ● api     ready
        ○ worker  pending  it needs web
      ── all: log ────────────────────────────
      ✗ web: shop/api could not be built: RUN
        npm ci failed with exit code 1
      api │ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
      ↑↓ select  ⏎ open  ? help  q quit"
    `))
  it('the details of a resource', () =>
    expect(screen(filled, { selected: 'web', pane: 'details', zoom: true, rows: 40 })).toMatchInlineSnapshot(`
      "  shop on kind-dev/dev-ann: 1 of 2 ready; today 41 saves live in 24 ms (p95 61 …
      ── web: details ────────────────────────────────────────────────────────────────
      status   ◐ updating since HH:MM:SS
                 saved 3 s ago
      does     building shop/web [3/4] RUN npm ci
      warning  shop/web has no shell [sync/no-shell]
                 Use another base.
      image    shop/web  building, 1 of 3 steps cached
                 because services/web/package.json: rebuildOn("package.json")
                 ●  cached  [1/4] FROM node:22
                 ●  120 ms  [2/4] COPY package.json .
                 ◐     5 s  [3/4] RUN npm ci
                            added 120 packages
                            done
      address  http://localhost:3000  http, listening
               http://localhost:9229  debug, waiting
      pod      web-7c9f-abcde  running, ready, 1 restart
                 wait  init, ended with 0
                 web  running, 1 restart
                   files 3 behind  agent in the pod
      reaches  db (db:5432)  failed: connection refused
      debug    node at 127.0.0.1:9229, not running
      needs    db
      labels   front
      type     app
      changes  HH:MM:SS  services/web/package.json  pending
                         seen +3 ms
                         rebuild: package.json: rebuildOn("package.json")











      Esc back  Tab log/details  / search  t trigger  r restart  ? help  q quit"
    `))
  it('the details of all', () =>
    expect(screen(filled, { pane: 'details', zoom: true, rows: 30 })).toMatchInlineSnapshot(`
    "  shop on kind-dev/dev-ann: 1 of 2 ready; today 41 saves live in 24 ms (p95 61 …
    ── all: details ────────────────────────────────────────────────────────────────
    runs     shop on kind-dev/dev-ann
    today    41 saves live in 24 ms (p95 61 ms), 3 rebuilds live in 1.6 s (p95 2.0
             s)
    plan     /p/Devloopfile.ts
             plan 1
    daemon   devloop 0.1.0, process 1, since HH:MM:SS
    warning  web: shop/web has no shell [sync/no-shell]
               Use another base.
    image    shop/web  building, 1 of 3 steps cached
               because services/web/package.json: rebuildOn("package.json")
               ●  cached  [1/4] FROM node:22
               ●  120 ms  [2/4] COPY package.json .
               ◐     5 s  [3/4] RUN npm ci
                          added 120 packages
                          done
    changes  HH:MM:SS  services/web/package.json  pending
                       seen +3 ms
                       rebuild: package.json: rebuildOn("package.json")









    Esc back  Tab log/details  / search  t trigger  r restart  ? help  q quit"
  `))
  it('details and log side by side, where there is room, and groups', () =>
    expect(screen(filled, { selected: 'web', columns: 160, rows: 20 })).toMatchInlineSnapshot(`
      "  shop on kind-dev/dev-ann: 1 of 2 ready; today 41 saves live in 24 ms (p95 61 ms), 3 rebuilds live in 1.6 s (p95 2.0 s)
        front
      › ◐ web   updating  1/1 pod  saved 3 s ago  http://localhost:3000 http://localhost:9229  building shop/web [3/4] RUN npm ci
        data
        ● db    ready                             http://localhost:5432
      ── web: details, lines 1 to 12 of 26 · web: log ────────────────────────────────────────────────────────────────────────────────────────────────────────────────
      status   ◐ updating since HH:MM:SS                                             │ build │ building shop/web: not built yet
                 saved 3 s ago                                                       │ api │ GET / 200 日本語 red
      does     building shop/web [3/4] RUN npm ci                                    │ api │ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
      warning  shop/web has no shell [sync/no-shell]                                 │
                 Use another base.                                                   │
      image    shop/web  building, 1 of 3 steps cached                               │
                 because services/web/package.json: rebuildOn("package.json")        │
                 ●  cached  [1/4] FROM node:22                                       │
                 ●  120 ms  [2/4] COPY package.json .                                │
                 ◐     5 s  [3/4] RUN npm ci                                         │
                            added 120 packages                                       │
                            done                                                     │
      services/web/package.json pending: seen +3 ms; rebuild: package.json: rebuildOn("package.json")
      ↑↓ select  ⏎ open  Esc back  Tab log/details  / search  t trigger  r restart  o link  w page  ? help  q quit"
    `))
  it('the help', () =>
    expect(screen(shop(), { help: true, rows: 30 })).toMatchInlineSnapshot(`
    "  shop on kind-dev/dev-ann: 2 of 4 ready
    ── help ────────────────────────────────────────────────────────────────────────
      ↑↓         select a resource; the first line stands for all (also k, j, Home,
                 End)
      s          select a resource by a part of its name
      ⏎          give the whole screen to the log or the details; there, ↑ and ↓
                 move in it
      Esc        back: from the whole screen, from a search, then to all resources
      Tab        change between the log and the details
      PgUp PgDn  move in the log or the details by pages (also Ctrl-B, Ctrl-F)
      f          follow the log again (also G or End at the whole screen)
      /          search the log, in whatever case
      n N        to the next older, or newer, line that was found
      v          show all lines, warnings and errors, or errors only
      t          trigger: build and deploy again, run again, or let pending changes
                 go
      r          restart the process of the resource
      e          enable, or disable (asks first)
      o          open an address of the resource in a browser
      w          open the status page in a browser
      y          copy an address of the resource
      c          copy the log line that is pointed at, or else the error, whole
      Ctrl-L     draw the screen anew
      Ctrl-Z     suspend; \`fg\` comes back
      ?          this help
      q          end devloop (also Ctrl-C)



    ↑↓ scroll  Esc back"
  `))
  it('the help where there is little room', () => {
    const { lines, scrollMost } = frame(shop(), { help: true, columns: 40, rows: 10, scroll: 3 })
    expect(scrollMost).toBeGreaterThan(10)
    for (const text of lines) expect(stringWidth(text)).toBeLessThanOrEqual(40)
  })

  it('shows the newest lines of the log, those of a resource without its name', () => {
    const log = logOf(...Array.from({ length: 100 }, (_, index) => line('api', `number ${index}`)))
    const views = [session(), resource('api')]
    expect(frame(views, { rows: 10, log }).lines.slice(3, -1)).toEqual(
      [94, 95, 96, 97, 98, 99].map((index) => `api │ number ${index}`),
    )
    expect(frame(views, { rows: 10, log, selected: 'api', zoom: true }).lines.slice(2, -1)).toEqual(
      [93, 94, 95, 96, 97, 98, 99].map((index) => `number ${index}`),
    )
  })
  it('points at a line, shows it whole, and keeps it in its place while others come', () => {
    const long = `found ${'word '.repeat(30)}end`
    const log = logOf(
      ...Array.from({ length: 100 }, (_, index) => line('api', index === 50 ? long : `number ${index}`, { cursor: index })),
    )
    const look = { rows: 14, columns: 60, log, selected: 'api', zoom: true, at: 50, search: 'FOUND' }
    const before = screen([session(), resource('api')], look)
    expect(before).toMatchInlineSnapshot(`
      "  shop on kind-dev/dev-ann: 1 of 1 ready
      ── api: log, "FOUND" 1 of 1, not followed ──────────────────
        number 46
        number 47
        number 48
        number 49
      › found word word word word word word word word word word
        word word word word word word word word word word word
        word word word word word word word word word end
        number 51
        number 52
        number 53
        number 54
      Esc back  Tab log/details  f follow  ? help  q quit"
    `)
    log.add({ lines: [line('api', 'found, too', { cursor: 100 })], dropped: 0 })
    expect(screen([session(), resource('api')], look)).toBe(before.replace('"FOUND" 1 of 1', '"FOUND" 1 of 2'))
  })
  it('marks what was found, in colour and without', () => {
    const log = logOf(line('api', 'a word and a WORD', { level: 'error' }))
    const lines = (style: typeof plainStyle): string =>
      renderScreen(
        { views: asMap(session()), log, state: { ...initialState, search: 'word' }, quit },
        { columns: 60, rows: 10, style, now: 0 },
      ).lines.join('')
    expect(lines(colourStyle)).toContain('\x1b[31m\x1b[7mword\x1b[27m\x1b[39m')
    expect(lines(screenStyle({ NO_COLOR: '1' }))).toContain('a \x1b[7mword\x1b[27m and a \x1b[7mWORD\x1b[27m')
  })
  it('says which lines are missing, and which are shown', () => {
    const log = logOf(line('api', 'one'))
    log.add({ lines: [line('api', 'two')], dropped: 7 })
    const shown = screen([session(), resource('api')], { log, level: 'warn', search: 'two' })
    expect(shown).toContain('api │ one\n… 7 lines are missing here\napi │ two')
    expect(shown).toContain('── all: log, warnings and errors, "two" found 1 ─')
  })

  it('shows the selected one among many, and counts the others', () => {
    const many = [session(), ...Array.from({ length: 100 }, (_, index) => resource(`r${String(index).padStart(2, '0')}`))]
    const lines = frame(many, { rows: 12, selected: 'r50' }).lines
    expect(lines.slice(1, 8)).toMatchInlineSnapshot(`
      [
        "  ↑ 48 more",
        "  ● r48   ready",
        "  ● r49   ready",
        "› ● r50   ready",
        "  ● r51   ready",
        "  ● r52   ready",
        "  ↓ 47 more; s finds by name",
      ]
    `)
    expect(frame(many, { rows: 12 }).lines[7]).toBe('  ↓ 94 more; s finds by name')
    expect(frame(many, { rows: 12, selected: 'r99' }).lines[7]).toBe('› ● r99   ready')
  })
  it('gives each error its share', () => {
    const other = {
      ...buildError,
      message: 'shop/api could not be built',
      why: Array.from({ length: 30 }, (_, index) => `line ${index + 1}`).join('\n'),
    }
    const views = [
      session(),
      resource('api', { status: 'failed', error: other }),
      resource('jobs', { status: 'failed', error: other }),
      resource('web', { status: 'failed', error: buildError }),
    ]
    expect(screen(views, { columns: 100, log: logOf() })).toMatchInlineSnapshot(`
      "› shop on kind-dev/dev-ann: 0 of 3 ready
        ✗ api   failed  shop/api could not be built
        ✗ jobs  failed  shop/api could not be built
        ✗ web   failed  shop/api could not be built: RUN npm ci failed with exit code 1
      ── all: log ────────────────────────────────────────────────────────────────────────────────────────
      ✗ api, jobs: shop/api could not be built [build/failed]
          at /p/services/api/Dockerfile:7
          line 1
          line 2
          … 28 lines; Tab shows all
          Correct the Dockerfile line, or the source that it compiles.
      ✗ web: shop/api could not be built: RUN npm ci failed with exit code 1 [build/failed]
          at /p/services/api/Dockerfile:7
          npm error code ENOENT
          npm error path /app/package.json
          npm error errno -2
          Correct the Dockerfile line, or the source that it compiles.






      ↑↓ select  ⏎ open  Tab log/details  / search  t trigger  r restart  o link  w page  ? help  q quit"
    `)
    expect(screen(views, { selected: 'web' })).not.toContain('could not be built [')
  })
  it.each([
    ['an answer', { notice: { text: 'triggered \x1b[2Japi', tone: 'good' as const } }, 'triggered api'],
    ['a search', { prompt: { kind: 'search' as const, text: 'no', before: '' } }, 'search: no▏'],
    ['a name', { prompt: { kind: 'select' as const, text: 'ap', before: undefined } }, 'resource: ap▏'],
    ['a question', { prompt: { kind: 'disable' as const, resource: 'api' } }, 'disable api, until it is enabled again? y/n'],
    [
      'a choice',
      { prompt: { kind: 'address' as const, purpose: 'open' as const, urls: ['http://a', 'http://b'] } },
      'open: 1 http://a  2 http://b',
    ],
  ])('ends with %s', (_, state, last) => expect(frame(shop(), state).lines.at(-1)).toBe(last))

  it('tells when something that is shown gets older, and only then', () => {
    expect(frame(shop()).nextMs).toBeUndefined()
    const saved = (at: number): View[] => [session(), resource('api', { lastChange: { id: 'c', at, outcome: 'pending' } })]
    expect(frame(saved(3500)).nextMs).toBe(500)
    expect(frame(saved(6000 - 90_000)).nextMs).toBe(30_000)
    expect(frame([session(), web]).nextMs).toBe(1000)
  })
  it('lets nothing from outside move the cursor', () => {
    const nasty = '\x1b[2J\x1b]0;title\x07\r\n\tx'
    const error = { ...buildError, message: nasty, why: nasty, help: nasty, where: { file: nasty, line: 1 } }
    const views = [
      session({ project: nasty, problems: [error], warnings: [{ ...error, code: 'defect' }], args: [nasty] }),
      resource(`api${nasty}`, { order: 1, labels: [nasty], activity: nasty, status: 'updating', error }),
      resource('b', {
        order: 2,
        hold: { code: 'needs', message: nasty },
        endpoints: [{ ...endpoint(1), name: nasty, url: nasty, error }],
      }),
      { ...web, reason: nasty, error, steps: [{ name: nasty, state: 'running' as const, tail: [nasty] }] },
      change('c', { paths: [nasty], stages: [{ stage: nasty, ms: 1, detail: nasty }] }),
    ]
    for (const look of [
      {},
      { pane: 'details' as const },
      { selected: `api${nasty}`, pane: 'details' as const },
      { selected: 'b', columns: 160 },
    ])
      // oxlint-disable-next-line no-control-regex
      expect(screen(views, { ...look, log: logOf(line(nasty, nasty)), rows: 60 })).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
  })
  it.each([
    [200, 60],
    [160, 20],
    [80, 24],
    [40, 10],
    [20, 10],
    [3, 3],
    [2, 2],
    [1, 1],
  ])('fills %i by %i exactly', (columns, rows) => {
    const states: Partial<ScreenState>[] = [
      {},
      { selected: 'web' },
      { selected: 'web', pane: 'details' },
      { selected: 'api', zoom: true, at: 2, search: 'x' },
      { pane: 'details', zoom: true },
      { help: true },
      { prompt: { kind: 'search', text: '検索'.repeat(30), before: '' } },
    ]
    for (const style of [plainStyle, colourStyle])
      for (const state of states)
        for (const views of [shop(), filled, []]) {
          const model = { views: asMap(...views), log: someLog, state: { ...initialState, ...state }, quit }
          const { lines } = renderScreen(model, { columns, rows, style, now: 6000 })
          expect(lines).toHaveLength(rows)
          for (const text of lines) expect(stringWidth(text)).toBeLessThanOrEqual(columns)
        }
  })
})
