// How `devloop status` shows where the time of changes went.
import { expect, test } from 'vitest'
import { changeRows } from '../../../../src/cli/render/change-rows.js'
import { resourceRows } from '../../../../src/cli/render/rows.js'
import { plainStyle } from '../../../../src/cli/render/style.js'
import { asMap, change, resource, session } from '../views.js'

test('each change tells what was saved, what became of it, and what each stage took', () => {
  const rows = changeRows(
    asMap(
      change('c1', {
        outcome: 'live',
        liveMs: 24,
        stages: [
          { stage: 'seen', ms: 3 },
          { stage: 'sent', ms: 7 },
          { stage: 'ran', detail: 'npm ci', ms: 20 },
          { stage: 'live', ms: 24 },
        ],
      }),
      change('c2', { at: 2000, paths: ['a\u001b[2J', 'b'], pathCount: 12, outcome: 'failed', images: [] }),
    ),
    { style: plainStyle, columns: Infinity },
  )
  expect(rows.map((row) => row.replace(/^\d\d:\d\d:\d\d/, 'TIME    '))).toEqual([
    'TIME      services/api/src/server.js  live in 24 ms',
    '          seen +3 ms, sent +4 ms, ran npm ci +13 ms, live +4 ms  sync: src/server.js: sync("src", "/app/src")',
    'TIME      a and 11 more  failed',
    '          seen +3 ms',
  ])
})

test('the headline tells how fast the day is', () => {
  const today = { synced: { count: 41, p50: 24, p95: 61 }, rebuilt: { count: 1, p50: 1_600, p95: 1_600 } }
  const [headline] = resourceRows(asMap(session({ today }), resource('api')), { style: plainStyle, columns: Infinity, now: 0 })
  expect(headline).toBe(
    'shop on kind-dev/dev-ann: 1 of 1 ready; today 41 saves live in 24 ms (p95 61 ms), 1 rebuild live in 1.6 s (p95 1.6 s)',
  )
})
