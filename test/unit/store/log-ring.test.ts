import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLogRing, type LogLine } from '../../../src/store/log-ring.js'

const line = (text: string, resource = 'api'): LogLine => ({ at: 1, resource, source: 'build', level: 'info', text })
const texts = (lines: readonly { text: string }[]): string[] => lines.map((each) => each.text)

test('lines get cursors in order and are read after a cursor', () => {
  const ring = createLogRing()
  ring.append(line('a'))
  ring.append([line('b', 'db'), line('c')])
  expect(ring.read({ after: 0 })).toEqual({
    lines: [
      { cursor: 1, at: 1, resource: 'api', source: 'build', level: 'info', text: 'a' },
      { cursor: 2, at: 1, resource: 'db', source: 'build', level: 'info', text: 'b' },
      { cursor: 3, at: 1, resource: 'api', source: 'build', level: 'info', text: 'c' },
    ],
    cursor: 3,
    dropped: 0,
    caughtUp: true,
  })
  expect(texts(ring.read({ after: 1, resources: ['api'] }).lines)).toEqual(['c'])
  expect(ring.read({ after: 3 })).toEqual({ lines: [], cursor: 3, dropped: 0, caughtUp: true })
  expect(ring.read({ after: 99 })).toEqual({ lines: [], cursor: 3, dropped: 0, caughtUp: true })
  expect(ring.lastCursor).toBe(3)
})

test('reading in parts loses and repeats nothing', () => {
  const ring = createLogRing()
  for (let i = 0; i < 100; i++) ring.append(line(`${i}`, `r${i % 7}`))
  const seen: string[] = []
  for (let after = 0, caughtUp = false; !caughtUp;) {
    const read = ring.read({ after, maxLines: 9 })
    expect(read.lines.length).toBeLessThanOrEqual(9)
    seen.push(...texts(read.lines))
    after = read.cursor
    caughtUp = read.caughtUp
  }
  expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`))
})

test('a bound in bytes always lets one line through', () => {
  const ring = createLogRing()
  ring.append([line('x'.repeat(1_000)), line('y'.repeat(1_000))])
  expect(ring.read({ after: 0, maxBytes: 10 })).toMatchObject({ lines: [{ cursor: 1 }], cursor: 1, caughtUp: false })
})

test('tail gives the newest, oldest first, over a selection', () => {
  const ring = createLogRing()
  for (let i = 0; i < 10; i++) ring.append(line(`${i}`, i % 2 ? 'odd' : 'even'))
  expect(texts(ring.tail(3))).toEqual(['7', '8', '9'])
  expect(texts(ring.tail(2, { resources: ['even'] }))).toEqual(['6', '8'])
  expect(ring.tail(0)).toEqual([])
  expect(ring.tail(5, { resources: ['nobody'] })).toEqual([])
  expect(texts(ring.tail(99))).toHaveLength(10)
})

test('stays within its bytes, and the noisy one pays', () => {
  const ring = createLogRing({ maxBytes: 100_000 })
  for (let i = 0; i < 20; i++) ring.append(line(`quiet ${i}`, 'quiet'))
  for (let i = 0; i < 50_000; i++) ring.append(line(`noise ${i}`, 'noisy'))
  expect(ring.bytes).toBeLessThanOrEqual(100_000)
  expect(ring.tail(100, { resources: ['quiet'] })).toHaveLength(20)
  expect(texts(ring.tail(1, { resources: ['noisy'] }))).toEqual(['noise 49999'])
  expect(ring.tail(1e9, { resources: ['noisy'] }).length).toBeGreaterThan(300)
})

test('several noisy ones share alike', () => {
  const ring = createLogRing({ maxBytes: 300_000 })
  for (let i = 0; i < 30_000; i++) ring.append(line(`${i}`, i % 10 === 0 ? 'some' : 'much'))
  const [some, much] = [ring.tail(1e9, { resources: ['some'] }).length, ring.tail(1e9, { resources: ['much'] }).length]
  expect(Math.abs(some - much)).toBeLessThan(200)
})

test('a line that is too long is cut and says so', () => {
  const ring = createLogRing({ maxLineLength: 20 })
  ring.append(line('x'.repeat(50)))
  expect(ring.tail(1)[0]?.text).toBe(`${'x'.repeat(20)}… (30 more characters)`)
})

test('subscribers are called after each append until they leave', () => {
  const ring = createLogRing()
  let calls = 0
  const leave = ring.subscribe(() => calls++)
  ring.append([line('a'), line('b')])
  ring.append(line('c'))
  leave()
  ring.append(line('d'))
  expect(calls).toBe(2)
})

test('nothing but the fields of a line is kept', () => {
  const ring = createLogRing()
  const chunk = 'z'.repeat(1_000)
  ring.append({ ...line(chunk.slice(0, 100)), ...{ chunk } } as LogLine)
  expect(Object.keys(ring.tail(1)[0]!).toSorted()).toEqual(['at', 'cursor', 'level', 'resource', 'source', 'text'])
})

test('property: every selected line is read once in order, or counted as dropped, exactly', () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        resource: fc.constantFrom('a', 'b', 'c'),
        count: fc.integer({ min: 1, max: 40 }),
        length: fc.integer({ min: 0, max: 60 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('read' as const), lines: fc.integer({ min: 1, max: 30 }) }) },
  )
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.constantFrom<string[] | undefined>(undefined, ['a'], ['a', 'c'], ['later']),
      fc.integer({ min: 0, max: 20 }),
      fc.constantFrom<{ text: string } | undefined>(undefined, { text: '7' }),
      (steps, resources, before, wish) => {
        const ring = createLogRing({ maxBytes: 12_000 })
        const wanted: string[] = []
        /** Selected, but not what is wished for. */
        let passedOver = 0
        let count = 0
        const append = (resource: string, length: number): void => {
          const text = `${++count} ${'x'.repeat(length)}`
          ring.append(line(text, resource))
          if (resources && !resources.includes(resource)) return
          if (!wish || text.includes(wish.text)) wanted.push(text)
          else passedOver++
        }
        for (let i = 0; i < before; i++) append('a', 5)
        wanted.length = 0
        passedOver = 0
        const reader = ring.reader({ after: ring.lastCursor, ...(resources && { resources }), ...wish })
        const seen: string[] = []
        let dropped = 0
        let position = 0
        const read = (maxLines?: number): void => {
          const part = reader.read(maxLines === undefined ? {} : { maxLines, maxLooked: 2 * maxLines })
          seen.push(...texts(part.lines))
          dropped += part.dropped
          expect(part.cursor).toBeGreaterThanOrEqual(position)
          position = part.cursor
        }
        for (const each of steps) {
          if (each.kind === 'read') read(each.lines)
          else for (let i = 0; i < each.count; i++) append(each.resource, each.length)
          expect(ring.bytes).toBeLessThanOrEqual(12_000)
        }
        read()
        // what is gone counts, whether it was wished for or not
        expect(wanted.length - seen.length).toBeLessThanOrEqual(dropped)
        expect(seen.length + dropped).toBeLessThanOrEqual(wanted.length + passedOver)
        const places = seen.map((text) => wanted.indexOf(text))
        expect(places).toEqual(places.toSorted((a, b) => a - b))
        expect(new Set(places).size).toBe(places.length)
        expect(places.includes(-1)).toBe(false)
      },
    ),
    { numRuns: 300 },
  )
})

test('property: a late reader gets what is kept; over all resources the count of the rest is exact', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 600 }), fc.nat(600), (resources, start) => {
      const ring = createLogRing({ maxBytes: 20_000 })
      resources.forEach((resource, i) => ring.append(line(`${i}`, resource)))
      const after = Math.min(start, ring.lastCursor)
      const all = ring.read({ after })
      expect(all.lines.length + all.dropped).toBe(resources.length - after)
      const one = ring.read({ after, resources: ['a'] })
      // few enough lines for the marks to be exact
      expect(one.lines.length + one.dropped).toBe(resources.slice(after).filter((resource) => resource === 'a').length)
    }),
    { numRuns: 300 },
  )
})

test('the estimate of what a selection missed long ago stays near the truth', () => {
  const ring = createLogRing({ maxBytes: 50_000 })
  for (let i = 0; i < 100_000; i++) ring.append(line(`${i}`, i % 4 === 0 ? 'a' : 'b'))
  const { lines, dropped } = ring.read({ after: 40_000, resources: ['a'] })
  expect(Math.abs(lines.length + dropped - 15_000)).toBeLessThan(200)
})
