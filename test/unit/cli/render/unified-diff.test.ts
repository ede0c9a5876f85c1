import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainStyle } from '../../../../src/cli/render/style.js'
import { unifiedDiff } from '../../../../src/cli/render/unified-diff.js'

const diff = (before: readonly string[], after: readonly string[]): string =>
  unifiedDiff(before.map((line) => `${line}\n`).join(''), after.map((line) => `${line}\n`).join(''), plainStyle)

test('changes with the lines around them, far ones apart', () => {
  const lines = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`)
  expect(diff(lines, lines)).toBe('')
  expect(diff(lines, lines.with(1, 'other').toSpliced(17, 1))).toMatchInlineSnapshot(`
    "@@ -1,5 +1,5 @@
     line 1
    -line 2
    +other
     line 3
     line 4
     line 5
    @@ -15,6 +15,5 @@
     line 15
     line 16
     line 17
    -line 18
     line 19
     line 20
    "
  `)
})

test('what is new and what is gone', () => {
  expect(diff([], ['a', 'b'])).toBe('@@ -0,0 +1,2 @@\n+a\n+b\n')
  expect(diff(['a'], [])).toBe('@@ -1,1 +0,0 @@\n-a\n')
})

test('the lines of a hunk are those of the texts, whatever they are', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 6 })
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const body = diff(before, after)
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('@@'))
      const side = (sign: string) => body.filter((line) => line[0] === ' ' || line[0] === sign).map((line) => line.slice(1))
      // texts this short are one hunk, whole
      if (before.join() === after.join()) {
        expect(body).toEqual([])
        return
      }
      const whole = (some: readonly string[], all: readonly string[]) => all.join().includes(some.join())
      expect(whole(side('-'), before) && whole(side('+'), after)).toBe(true)
      expect(before.length - side('-').length).toBe(after.length - side('+').length)
    }),
  )
})
