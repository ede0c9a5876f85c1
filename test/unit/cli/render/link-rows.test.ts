// How `devloop status` and `devloop why` show the ways between apps.
import { expect, test } from 'vitest'
import { resourceText } from '../../../../src/cli/commands/why.js'
import { linkRows } from '../../../../src/cli/render/link-rows.js'
import { plainStyle } from '../../../../src/cli/render/style.js'
import type { LinkView } from '../../../../src/protocol/messages.js'
import { resource } from '../views.js'

const links: readonly LinkView[] = [
  { to: 'db', address: 'db:5432', state: 'ok' },
  { to: 'search', address: 'search:80', state: 'failed', why: 'no connection: refused\u001b[2J' },
]
const api = resource('api', { links, status: 'starting', needs: ['db'], hold: { code: 'needs', message: 'it needs db' } })

test('devloop status: a line each, none for apps that refer to no other', () => {
  const views = new Map([api, resource('alone')].map((one) => [`resource/${one.name}`, one]))
  const rows = linkRows(views, { style: plainStyle, columns: Infinity })
  expect(rows).toEqual([
    '  api -> db (db:5432)        ok',
    expect.stringMatching(/^ {2}api -> search \(search:80\) {2}failed {2}no connection: refused/),
  ])
  expect(rows.join('')).not.toContain('\u001b')
  expect(linkRows(views, { style: plainStyle, columns: 30 }).every((row) => row.length <= 30)).toBe(true)
})

test('devloop why RESOURCE', () => {
  const plain = {
    ...api,
    links: [...links.slice(0, 1), { to: 'b', address: 'b:1', state: 'unknown', why: 'it was not tried yet' }] as const,
  }
  expect(resourceText(plain)).toBe(
    [
      'api: starting',
      '  it waits: it needs db',
      '  it needs db',
      '  link to db (db:5432): ok',
      '  link to b (b:1): unknown, it was not tried yet',
      '',
    ].join('\n'),
  )
})
