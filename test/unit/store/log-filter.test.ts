import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LogEntry } from '../../../src/model/log-entry.js'
import { createLogFilter } from '../../../src/store/log-filter.js'

const entry = (more: Partial<LogEntry>): LogEntry => ({
  cursor: 1,
  at: 1,
  resource: 'api',
  source: 'build',
  level: 'info',
  text: '',
  ...more,
})

test('what is left out takes all', () => {
  expect(createLogFilter({})).toBeUndefined()
  expect(createLogFilter({ level: 'info', text: '' })).toBeUndefined()
})

test.each([
  ['build', ['build'], true],
  ['build', ['bui'], false],
  ['api-1/api', ['*/api'], true],
  ['api-1/api', ['api-*/*'], true],
  ['api-1/api', ['*'], true],
  ['api-1/api', ['a*a*i'], true],
  ['aba', ['ab*ba'], false],
  ['api-1/api', ['*x*', 'build'], false],
  ['build', [], false],
])('the source %s fits %j: %s', (source, sources, fits) => {
  expect(createLogFilter({ sources })?.(entry({ source }))).toBe(fits)
})

test('containers are named in the same way, and what none of them wrote is left out', () => {
  const fits = (containers: string[], container?: string): boolean | undefined =>
    createLogFilter({ containers })?.(entry(container === undefined ? {} : { container }))
  expect(fits(['api', 'db'], 'api')).toBe(true)
  expect(fits(['api'], 'api2')).toBe(false)
  expect(fits(['*'], 'api')).toBe(true)
  expect(fits(['*'])).toBe(false)
})

test('property: patterns of sources are those of a regular expression, and take no time to speak of', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
  fc.assert(
    fc.property(word, word, (pattern, text) => {
      const source = text.replaceAll('*', '')
      const expected = new RegExp(`^${pattern.replace(/\*+/g, '.*')}$`).test(source)
      expect(createLogFilter({ sources: [pattern] })?.(entry({ source }))).toBe(expected)
    }),
  )
  expect(createLogFilter({ sources: ['*a'.repeat(500)] })?.(entry({ source: `${'a'.repeat(5_000)}b` }))).toBe(false)
})

test('text is looked for as it is read: capitals, colours and signs of expressions mean nothing', () => {
  const fits = (text: string, line: string): boolean | undefined => createLogFilter({ text })?.(entry({ text: line }))
  expect(fits('a.b(c', 'xx A.B(C xx')).toBe(true)
  expect(fits('a.b', 'acb')).toBe(false)
  expect(fits('GET /api', '\u001b[32mGET\u001b[0m /api/1')).toBe(true)
  expect(fits('größe', 'GRÖẞE')).toBe(true)
})

test('property: any text can be looked for', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
      fc.pre(!text.includes('\u001b'))
      expect(createLogFilter({ text })?.(entry({ text: `x${text}y` }))).toBe(true)
    }),
  )
})

test('all that is there must fit', () => {
  const fits = createLogFilter({ since: 10, level: 'warn', text: 'x', sources: ['build'] })
  const good = entry({ at: 10, level: 'error', text: 'x' })
  expect(fits?.(good)).toBe(true)
  for (const other of [{ at: 9 }, { level: 'info' as const }, { text: 'y' }, { source: 'deploy' }])
    expect(fits?.({ ...good, ...other })).toBe(false)
})
