import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { resourceRows } from '../../../../src/cli/render/rows.js'
import { plainStyle } from '../../../../src/cli/render/style.js'
import type { View } from '../../../../src/protocol/messages.js'
import { asMap, endpoint, resource, session, shop } from '../views.js'

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
      ◐ api   updating  saved 2 s ago  building shop/api [2/4] RUN npm ci
      ◐ web   starting                 1 of 2 pods are ready
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
  it('leaves out what there is no room for, and shortens long names', () => {
    const views = asMap(...shop(), resource('a-name-that-is-much-too-long-for-this'))
    const narrow = resourceRows(views, { ...wide, columns: 40 })
    expect(narrow.join('\n')).toMatchInlineSnapshot(`
      "shop on kind-dev/dev-ann: 3 of 5 ready
      ● db                ready
      ● api               ready
      ✗ web               failed   shop/api c…
      ○ worker            pending  it needs w…
      ● a-name-that-is-…  ready"
    `)
    for (const line of narrow) expect(stringWidth(line)).toBeLessThanOrEqual(40)
  })
})
