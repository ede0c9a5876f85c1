// What a pane of log shows and finds, while lines come at one end and go at the other.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLogBuffer, type LogBuffer } from '../../../src/web/log-buffer.js'
import { createLogFilter, type LogFilter } from '../../../src/web/log-filter.js'
import type { LogEntry } from '../../../src/protocol/messages.js'

let cursor = 0
const line = (text: string, more: Partial<LogEntry> = {}): LogEntry => ({
  cursor: ++cursor,
  at: 0,
  resource: 'api',
  source: 'local',
  level: 'info',
  text,
  ...more,
})
const shown = (filter: LogFilter): (string | undefined)[] => Array.from({ length: filter.length }, (_, i) => filter.at(i)?.plain)
const found = (filter: LogFilter): (string | undefined)[] =>
  Array.from({ length: filter.matches }, (_, i) => filter.at(filter.placeOfMatch(i))?.plain)
const kept = (buffer: LogBuffer): (string | undefined)[] =>
  Array.from({ length: buffer.next - buffer.first }, (_, i) => buffer.get(buffer.first + i)?.plain)

test('the buffer keeps the newest lines within both bounds, and says what is missing', () => {
  const buffer = createLogBuffer({ lines: 3, characters: 100 })
  buffer.append(['a', 'b', 'c', 'd'].map((text) => line(text)))
  expect(kept(buffer)).toEqual(['b', 'c', 'd'])
  buffer.append([line('x'.repeat(99))])
  expect(kept(buffer)).toEqual(['d', 'x'.repeat(99)])
  // longer than all that is allowed: it is there, and nothing else
  buffer.append([line('y'.repeat(200))])
  expect(kept(buffer)).toEqual(['y'.repeat(200)])
  buffer.append([line('z')], 2)
  expect(kept(buffer)).toEqual(['2 lines are missing here: devloop no longer keeps them', 'z'])
  buffer.clear()
  expect(kept(buffer)).toEqual([])
  expect(buffer.get(0)).toBeUndefined()
})

test('what is searched is what is read: no colours, no cursor movements, JSON in words', () => {
  const buffer = createLogBuffer()
  buffer.append([
    line('\u001b[31mred\u001b[0m \u001b]0;title\u0007text'),
    line('10 %\r20 %\r30 %'),
    line('{"level":"error","msg":"it broke","at":"src/a.ts"}', { source: 'pod/main' }),
  ])
  expect(kept(buffer)).toEqual(['red text', '30 %', 'ERROR it broke at=src/a.ts'])
  expect(buffer.get(2)?.level).toBe('error')
})

test('lines are shown by resource, level and text, and what is found among them follows', () => {
  const buffer = createLogBuffer()
  buffer.append([
    line('Alpha'),
    line('beta', { resource: 'db' }),
    line('alphabet', { level: 'warn' }),
    line('gamma', { level: 'error', resource: 'db' }),
  ])
  const filter = createLogFilter(buffer)
  filter.update()
  filter.search('ALPHA')
  expect(found(filter)).toEqual(['Alpha', 'alphabet'])
  filter.search('alphab')
  expect(found(filter)).toEqual(['alphabet'])
  filter.search('a')
  expect(filter.matches).toBe(4)
  filter.select({ level: 'warn' })
  expect(shown(filter)).toEqual(['alphabet', 'gamma'])
  expect(found(filter)).toEqual(['alphabet', 'gamma'])
  filter.select({ level: 'info', resource: 'db' })
  expect(shown(filter)).toEqual(['beta', 'gamma'])
  expect(filter.placeOf(3)).toBe(1)
  expect(filter.placeOf(2)).toBe(-1)
  filter.select({ level: 'info', text: 'ALPH' })
  expect(shown(filter)).toEqual(['Alpha', 'alphabet'])
  buffer.append([line('alphorn'), line('nothing')])
  filter.update()
  expect(shown(filter)).toEqual(['Alpha', 'alphabet', 'alphorn'])
  expect(filter.matchFrom(2)).toBe(2)
  expect(filter.matchFrom(3)).toBe(3)
})

test('taken in bit by bit or looked at anew, the same is shown and found', () => {
  const texts = fc.constantFrom('one', 'two', 'three', 'one two', 'ONE')
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('lines' as const),
      texts: fc.array(texts, { maxLength: 8 }),
      resource: fc.constantFrom('a', 'b'),
    }),
    fc.record({ kind: fc.constant('search' as const), query: fc.constantFrom('', 'o', 'on', 'one', 't', 'tw') }),
    fc.record({
      kind: fc.constant('select' as const),
      resource: fc.constantFrom('a', undefined),
      text: fc.constantFrom('', 'two'),
    }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const buffer = createLogBuffer({ lines: 10, characters: 1000 })
      const filter = createLogFilter(buffer)
      let selection: { resource: string | undefined; text: string } = { resource: undefined, text: '' }
      let query = ''
      for (const one of steps) {
        if (one.kind === 'lines') buffer.append(one.texts.map((text) => line(text, { resource: one.resource })))
        else if (one.kind === 'search') filter.search((query = one.query))
        else filter.select({ level: 'info', ...(selection = { resource: one.resource, text: one.text }) })
        filter.update()
      }
      const anew = createLogFilter(buffer)
      anew.select({ level: 'info', ...selection })
      anew.search(query)
      expect([shown(filter), found(filter)]).toEqual([shown(anew), found(anew)])
      const all = kept(buffer).filter((text) => text?.toLowerCase().includes(selection.text))
      expect(found(anew).every((text) => all.includes(text) && text?.toLowerCase().includes(query))).toBe(true)
    }),
  )
})
