// The promise that lets whole folders be skipped: when a folder is answered with "left out", so is everything below it.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileDockerignore } from '../../src/model/dockerignore.js'
import { compileGlobs, globBase } from '../../src/model/globs.js'
import { compileLiveRules, isAlwaysIgnored } from '../../src/model/live-rules.js'
import type { LiveRule } from '../../src/model/plan.js'

const name = fc.constantFrom('a', 'b', 'ab', '.a', 'a.js', 'ä', 'a b')
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
const piece = fc.constantFrom('a', 'b', 'ab', '.a', 'a.js', '*', '**', '?', '*.js', '[ab]', 'a*', '**b', 'a**', '.', '')
const pattern = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join('/'))
const folders = (of: string): string[] =>
  of
    .split('/')
    .slice(0, -1)
    .map((_, i, names) =>
      of
        .split('/')
        .slice(0, names.length - i)
        .join('/'),
    )

test('.dockerignore: nothing comes back below a folder that is left out', () => {
  const line = fc
    .tuple(
      fc.boolean(),
      pattern.filter((one) => !/^[/.]*$/.test(one)),
    )
    .map(([exception, one]) => (exception ? '!' : '') + one)
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), path, (lines, one) => {
      const ignored = compileDockerignore(lines.join('\n'))
      expect(ignored(one, false) || !folders(one).some((folder) => ignored(folder, true))).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test('.dockerignore: answers do not depend on what was asked before', () => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 5 }), fc.array(path, { maxLength: 20 }), (lines, paths) => {
      const once = compileDockerignore(lines.join('\n'))
      for (const one of paths) expect(once(one, false)).toBe(compileDockerignore(lines.join('\n'))(one, false))
    }),
  )
})

test('globs: what a folder is covered by covers everything below it, and lies at the base', () => {
  fc.assert(
    fc.property(pattern, path, (one, of) => {
      const matches = compileGlobs([one])
      expect(matches(of) || !folders(of).some(matches)).toBe(true)
      const base = globBase(one)
      expect(!matches(of) || base === '' || of === base || of.startsWith(`${base}/`)).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

const at = { file: '/Devloopfile.ts', line: 1 }
const rule: fc.Arbitrary<LiveRule> = fc.oneof(
  fc.record({ kind: fc.constant('sync' as const), from: path, to: path.map((one) => `/${one}`), at: fc.constant(at) }),
  fc.record({
    kind: fc.constantFrom('ignore' as const, 'rebuildOn' as const),
    patterns: fc.array(pattern, { minLength: 1, maxLength: 3 }),
    at: fc.constant(at),
  }),
  fc.record({ kind: fc.constant('restart' as const), on: fc.array(pattern, { maxLength: 2 }), at: fc.constant(at) }),
)

test('live rules: everything below a folder that need not be watched is ignored', () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 6 }), path, (live, of) => {
      const rules = compileLiveRules({ live })
      const unwatched = rules.ignores(of, false) || folders(of).some((folder) => rules.ignores(folder, true))
      expect(!unwatched || rules.classify(of).action === 'ignore').toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test('live rules: the order of syncs among other rules changes nothing but the order of the container paths', () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 6 }), path, (live, of) => {
      const syncsFirst = [...live.filter((one) => one.kind === 'sync'), ...live.filter((one) => one.kind !== 'sync')]
      const a = compileLiveRules({ live }).classify(of)
      const b = compileLiveRules({ live: syncsFirst }).classify(of)
      expect([a.action, a.to]).toEqual([b.action, b.to])
      expect(a.to.length > 0).toBe(a.action === 'sync')
      expect(a.to.every((to) => to.startsWith('/') && !to.includes('//'))).toBe(true)
    }),
  )
})

test('live rules: what is never a source stays none below it', () => {
  fc.assert(fc.property(path, path, (above, below) => isAlwaysIgnored(`${above}/.git/${below}`)))
  expect(isAlwaysIgnored('.git/a')).toBe(true)
})
