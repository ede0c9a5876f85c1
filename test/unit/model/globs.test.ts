import { expect, test } from 'vitest'
import { compileGlobs, globBase } from '../../../src/model/globs.js'

const table: [pattern: string, yes: string[], no: string[]][] = [
  ['src', ['src', 'src/a', 'src/a/b'], ['srcx', 'a/src', 'sr']],
  ['src/', ['src', 'src/a'], ['srcx']],
  ['./src', ['src/a'], ['a/src']],
  ['/src', ['src/a'], ['a/src']],
  ['.', ['a', 'a/b'], []],
  ['', ['a', '.a/b'], []],
  ['src/**', ['src/a', 'src/a/b', 'src/.a'], ['srcx/a']],
  ['**', ['a', 'a/b', '.a', 'a/.b/c'], []],
  ['*.ts', ['a.ts', '.a.ts', 'folder.ts/a'], ['a/b.ts', 'a.tsx']],
  ['**/*.ts', ['a.ts', 'a/b.ts', '.a/b.ts'], ['a.js']],
  ['**/node_modules', ['node_modules/a', 'a/node_modules/b/c'], ['node_modulesx']],
  ['src/*', ['src/a', 'src/a/b'], ['src', 'a']],
  ['src/*.ts', ['src/a.ts'], ['src/a/b.ts']],
  ['{a,b}/c', ['a/c', 'b/c/d'], ['c', 'a/d']],
  ['[ab].txt', ['a.txt', 'b.txt'], ['c.txt']],
  ['a?', ['ab', 'ab/c'], ['a', 'abc']],
  ['!a', ['!a', '!a/b'], ['a', 'b']],
  ['with space/ü*', ['with space/üx'], ['with space/x']],
  ['@scope/pkg', ['@scope/pkg/a'], ['scope/pkg']],
]

test.each(table)('%s', (pattern, yes, no) => {
  const matches = compileGlobs([pattern])
  expect(yes.filter((path) => !matches(path))).toEqual([])
  expect(no.filter(matches)).toEqual([])
})

test('any of several patterns, and none of none', () => {
  const matches = compileGlobs(['a', 'b/*.ts'])
  expect(['a/x', 'b/x.ts', 'c'].map(matches)).toEqual([true, true, false])
  expect(compileGlobs([])('a')).toBe(false)
})

test('names with newlines', () => {
  const matches = compileGlobs(['src/**/*.ts'])
  expect(matches('src/a\nb/c\nd.ts')).toBe(true)
})

test.each([
  ['src/**', 'src'],
  ['src/a/*.ts', 'src/a'],
  ['src/a.ts', 'src/a.ts'],
  ['*.ts', ''],
  ['**', ''],
  ['', ''],
  ['./src/', 'src'],
  ['a/{b,c}/d', 'a'],
  ['a/+(b)/c', 'a'],
  ['a/[b]', 'a'],
  ['a b/*', 'a b'],
])('base of %s is %s', (pattern, base) => {
  expect(globBase(pattern)).toBe(base)
})
