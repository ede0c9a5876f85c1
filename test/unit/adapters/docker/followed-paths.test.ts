import { expect, test } from 'vitest'
import type { ContextEntry } from '../../../../src/adapters/docker/context-files.js'
import { selectFollowed } from '../../../../src/adapters/docker/followed-paths.js'

const entry = (path: string, kind: ContextEntry['kind'], target = ''): ContextEntry => ({
  path,
  kind,
  mode: 0o644,
  size: 0,
  target,
  mtime: 0n,
  content: async function* () {},
})

const context = [
  entry('a', 'folder'),
  entry('a/b', 'folder'),
  entry('a/b/c.ts', 'file'),
  entry('a/d.ts', 'file'),
  entry('ab', 'file'),
  entry('lib', 'link', 'a/b'),
  entry('package-lock.json', 'file'),
  entry('package.json', 'file'),
  entry('x[1].txt', 'file'),
]

const select = (...followed: string[]): string[] => selectFollowed(context, followed).map(({ path }) => path)

test.each<[string[], string[]]>([
  [['a'], ['a', 'a/b', 'a/b/c.ts', 'a/d.ts']],
  [['/a/d.ts'], ['a', 'a/d.ts']],
  [['a/b/'], ['a', 'a/b', 'a/b/c.ts']],
  [['package*.json'], ['package-lock.json', 'package.json']],
  [
    ['package?json', 'ab'],
    ['ab', 'package.json'],
  ],
  [['[a]b'], ['ab']],
  [['x\\[1].txt'], ['x[1].txt']],
  [['a/*/c.ts'], ['a', 'a/b', 'a/b/c.ts']],
  [['../a/d.ts'], ['a', 'a/d.ts']],
  [['nothing'], []],
])('following %j gives %j', (followed, expected) => {
  expect(select(...followed)).toEqual(expected)
})

test('a link is followed to what it points to', () => {
  expect(select('lib')).toEqual(['a', 'a/b', 'a/b/c.ts', 'lib'])
  expect(select('lib/c.ts')).toEqual(['a', 'a/b', 'a/b/c.ts', 'lib'])
})

test('the context as a whole, or no paths, gives everything', () => {
  expect(select()).toHaveLength(context.length)
  expect(select('.')).toHaveLength(context.length)
  expect(select('a', '/')).toHaveLength(context.length)
})

test('a link into itself ends with everything', () => {
  const endless = [entry('one', 'link', 'one/y'), entry('two', 'file')]
  expect(selectFollowed(endless, ['one/x'])).toEqual(endless)
})

test('a circle of links ends', () => {
  const circle = [entry('one', 'link', 'two'), entry('two', 'link', 'one')]
  expect(selectFollowed(circle, ['one/x'])).toEqual(circle)
})
