import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { resourceRows } from '../../../../src/cli/render/rows.js'
import { renderScreen } from '../../../../src/cli/render/screen.js'
import { colourStyle, plainStyle } from '../../../../src/cli/render/style.js'
import type { View } from '../../../../src/protocol/messages.js'
import { asMap, buildError, change, endpoint, line, resource, session, shop } from '../views.js'

const wide = { style: plainStyle, columns: 120, now: 6000 }
const rows = (...views: readonly View[]): string => resourceRows(asMap(...views), wide).join('\n')

describe('resourceRows', () => {
  it('shows state, last change and its time to live, endpoint, and what is wrong or waited for', () => {
    expect(rows(...shop())).toMatchInlineSnapshot(`
      "shop on kind-dev/dev-ann: 2 of 4 ready
      ● db      ready                      http://localhost:5432
      ● api     ready    live in 24 ms     http://localhost:8080
      ✗ web     failed   last save failed  shop/api could not be built: RUN npm ci failed with exit code 1
      ○ worker  pending                    it needs web"
    `)
  })
  it('says what is being done', () => {
    expect(
      rows(
        session(),
        resource('api', {
          status: 'updating',
          activity: 'building shop/api [2/4] RUN npm ci',
          lastChange: { id: 'c', at: 3500, outcome: 'pending' },
        }),
        resource('web', { status: 'starting', activity: '1 of 2 pods are ready' }),
        resource('old', { status: 'removing' }),
      ),
    ).toMatchInlineSnapshot(`
      "shop on kind-dev/dev-ann: 0 of 3 ready
      ◐ api   updating  saved 2.5 s ago  building shop/api [2/4] RUN npm ci
      ◐ web   starting                   1 of 2 pods are ready
      ○ old   removing"
    `)
  })
  it('shows a port that is taken, and a warning, of resources that are ready', () => {
    expect(
      rows(
        session({ ready: true }),
        resource('api', {
          endpoints: [
            {
              ...endpoint(8080),
              state: 'failed',
              error: { code: 'forward/port-taken', message: 'port 8080 of this machine is in use', help: '' },
            },
          ],
        }),
        resource('web', { warnings: [{ code: 'sync/no-shell', message: 'shop/web has no shell', help: '' }] }),
      ),
    ).toMatchInlineSnapshot(`
      "shop on kind-dev/dev-ann: 2 of 2 ready
      ● api   ready  http://localhost:8080  port 8080 of this machine is in use
      ● web   ready  shop/web has no shell"
    `)
  })
  it.each([
    ['no daemon yet', [], 'devloop: connecting'],
    [
      'the first load',
      [
        session({
          devloopfile: { file: '/p/D.ts', state: 'loading', generation: 0 },
          runtime: { kind: 'kubernetes', state: 'connecting' },
        }),
      ],
      'shop on kubernetes: connecting, loading the Devloopfile',
    ],
    [
      'a bad edit',
      [session({ devloopfile: { file: '/p/D.ts', state: 'failed', generation: 3 } }), resource('api')],
      'shop on kind-dev/dev-ann: the Devloopfile has an error; the last good plan runs, 1 of 1 ready',
    ],
    [
      'a bad start',
      [session({ devloopfile: { file: '/p/D.ts', state: 'failed', generation: 0 } })],
      'shop on kind-dev/dev-ann: the Devloopfile has an error',
    ],
    [
      'a lost cluster',
      [session({ runtime: { kind: 'kubernetes', state: 'lost', context: 'kind-dev' } }), resource('api')],
      'shop on kind-dev: connection lost, 1 of 1 ready',
    ],
    [
      'processes',
      [session({ runtime: { kind: 'process', state: 'connected' } }), resource('api')],
      'shop on process runtime: 1 of 1 ready',
    ],
    ['an empty plan', [session({ ready: true })], 'shop on kind-dev/dev-ann: no resources'],
    ['the end', [session({ phase: 'stopping' }), resource('api')], 'shop on kind-dev/dev-ann: stopping, 1 of 1 ready'],
  ])('headline: %s', (_, views, expected) => expect(resourceRows(asMap(...views), wide)[0]).toBe(expected))
  it('lets nothing from outside move the cursor', () => {
    const text = rows(
      session({ project: 'sh\x1b[2Jop' }),
      resource('api', { status: 'updating', activity: 'building RUN printf "\x1b[2J"\r\n' }),
    )
    // oxlint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f]/)
  })
  it('aligns names in wide characters', () => {
    const [, first = '', second = ''] = resourceRows(
      asMap(session(), resource('サーバー', { order: 1 }), resource('api', { order: 2 })),
      wide,
    )
    expect(stringWidth(first.slice(0, first.indexOf('ready')))).toBe(stringWidth(second.slice(0, second.indexOf('ready'))))
  })
})

describe('renderScreen', () => {
  const log = [
    line('', 'building shop/web: not built yet', { source: 'build' }),
    line('api', 'GET / 200 日本語 \x1b[31mred\x1b[2J'),
    line('api', 'x'.repeat(300)),
  ]

  it('at 80 by 24', () => {
    expect(renderScreen(asMap(...shop()), log, { columns: 80, rows: 24, style: plainStyle, now: 6000 }).join('\n'))
      .toMatchInlineSnapshot(`
        "shop on kind-dev/dev-ann: 2 of 4 ready
        ● db      ready                      http://localhost:5432
        ● api     ready    live in 24 ms     http://localhost:8080
        ✗ web     failed   last save failed  shop/api could not be built: RUN npm ci fa…
        ○ worker  pending                    it needs web
        ────────────────────────────────────────────────────────────────────────────────
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







        last change: services/api/src/server.js: seen 3 ms, sent 6 ms, written 12 ms, r…"
      `)
  })
  it('at 40 by 8, where what goes wrong must be short', () => {
    expect(renderScreen(asMap(...shop()), log, { columns: 40, rows: 8, style: plainStyle, now: 6000 }).join('\n'))
      .toMatchInlineSnapshot(`
      "shop on kind-dev/dev-ann: 2 of 4 ready
      ● db      ready                      ht…
      ● api     ready    live in 24 ms     ht…
      … 2 more; devloop status shows all
      ────────────────────────────────────────
      ✗ web: shop/api could not be built: RUN
      api │ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
      last change: services/api/src/server.js…"
    `)
  })
  it('gives each error its share', () => {
    const other = {
      ...buildError,
      message: 'shop/api could not be built',
      why: Array.from({ length: 30 }, (_, index) => `line ${index + 1}`).join('\n'),
    }
    const views = asMap(
      session(),
      resource('api', { status: 'failed', error: other }),
      resource('jobs', { status: 'failed', error: other }),
      resource('web', { status: 'failed', error: buildError }),
    )
    const lines = renderScreen(views, [], { columns: 100, rows: 24, style: plainStyle, now: 6000 })
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "shop on kind-dev/dev-ann: 0 of 3 ready
      ✗ api   failed  shop/api could not be built
      ✗ jobs  failed  shop/api could not be built
      ✗ web   failed  shop/api could not be built: RUN npm ci failed with exit code 1
      ────────────────────────────────────────────────────────────────────────────────────────────────────
      ✗ api, jobs: shop/api could not be built [build/failed]
          at /p/services/api/Dockerfile:7
          line 1
          line 2
          … 28 lines; devloop status shows all
          Correct the Dockerfile line, or the source that it compiles.
      ✗ web: shop/api could not be built: RUN npm ci failed with exit code 1 [build/failed]
          at /p/services/api/Dockerfile:7
          npm error code ENOENT
          npm error path /app/package.json
          npm error errno -2
          Correct the Dockerfile line, or the source that it compiles.






      q quits"
    `)
  })
  it('shows the newest lines of the log', () => {
    const many = Array.from({ length: 100 }, (_, index) => line('api', `number ${index}`))
    const lines = renderScreen(asMap(session(), resource('api')), many, { columns: 80, rows: 10, style: plainStyle, now: 6000 })
    expect(lines.slice(3, -1)).toEqual([
      'api │ number 94',
      'api │ number 95',
      'api │ number 96',
      'api │ number 97',
      'api │ number 98',
      'api │ number 99',
    ])
  })
  it('names the last change, its stages and its rule', () => {
    const last = change('c2', {
      at: 5000,
      stages: [
        { stage: 'seen', ms: 3 },
        { stage: 'ran', ms: 1500, detail: 'npm ci' },
      ],
      pathCount: 3,
      paths: ['a', 'b', 'c'],
    })
    const lines = renderScreen(asMap(...shop(), last), [], { columns: 120, rows: 24, style: plainStyle, now: 6000 })
    expect(lines.at(-1)).toBe('last change: 3 paths: seen 3 ms, ran npm ci 1.5 s (src/server.js: sync("src", "/app/src"))')
  })
  it.each([
    [200, 60],
    [80, 24],
    [20, 10],
    [3, 3],
    [1, 1],
  ])('fills %i by %i exactly', (columns, rows) => {
    for (const style of [plainStyle, colourStyle]) {
      const lines = renderScreen(asMap(...shop()), log, { columns, rows, style, now: 6000 })
      expect(lines).toHaveLength(rows)
      for (const text of lines) expect(stringWidth(text)).toBeLessThanOrEqual(columns)
    }
  })
})
