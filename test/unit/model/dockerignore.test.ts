import { describe, expect, test } from 'vitest'
import { isDevloopError } from '../../../src/errors/devloop-error.js'
import { compileDockerignore, dockerignoreFiles } from '../../../src/model/dockerignore.js'

/** Lines, then paths that are left out, then paths that are kept. */
const table: [title: string, lines: string[], ignored: string[], kept: string[]][] = [
  ['nothing', [], [], ['a', '.git/config']],
  ['comments, only at the start of a line', ['# a', 'b # c', ' # d'], ['b # c', '# d'], ['a', 'b', 'd']],
  ['blank lines and white space around', ['', '   ', '  a  ', '\tb'], ['a', 'b'], ['c']],
  ['the beginning anchored at the root', ['temp'], ['temp', 'temp/x', 'temp/x/y'], ['sub/temp', 'temporary']],
  ['one level down', ['*/temp*'], ['a/temp', 'a/temporary.txt', 'a/temp/x'], ['temp', 'a/b/temp']],
  ['two levels down', ['*/*/temp*'], ['a/b/temporary.txt', 'a/b/temp/x'], ['a/temp', 'a/b/c/temp']],
  ['one character', ['temp?'], ['tempa', 'tempb', 'tempa/x'], ['temp', 'tempab', 'temp/']],
  ['every level', ['**/*.go'], ['a.go', 'a/b.go', 'a/b/c.go', 'a.go/x'], ['a.goo', 'go']],
  ['all of one ending but one', ['*.md', '!README.md'], ['a.md'], ['README.md', 'sub/a.md']],
  [
    'an exception to an exception',
    ['*.md', '!README*.md', 'README-secret.md'],
    ['a.md', 'README-secret.md'],
    ['README.md', 'README-x.md'],
  ],
  [
    'an exception that a later line covers',
    ['*.md', 'README-secret.md', '!README*.md'],
    ['a.md'],
    ['README-secret.md', 'README.md'],
  ],
  ['an exception that comes too early', ['!a', 'a'], ['a'], ['b']],
  ['everything but some', ['*', '!src', '!package.json'], ['a', 'b/c', 'package-lock.json'], ['src', 'src/a/b', 'package.json']],
  ['a part of an ignored folder', ['a', '!a/b/c'], ['a', 'a/x', 'a/b', 'a/b/d'], ['a/b/c', 'a/b/c/d']],
  ['files at every level of an ignored folder', ['a', '!**/*.js'], ['a/x', 'a/b/x.ts'], ['a/x.js', 'a/b/x.js']],
  ['leading slashes', ['/a', '//b', '!/a/c'], ['a', 'a/x', 'b'], ['a/c', 'x/a']],
  ['trailing slashes', ['a/', 'b//'], ['a', 'a/x', 'b'], ['x/a']],
  ['dots in paths', ['./a', 'b/../c', 'd/./e'], ['a', 'c', 'd/e'], ['b', 'd']],
  ['what lies above the root', ['..', '../a', '/..'], [], ['a', 'b']],
  ['the root itself', ['.', '/', './'], [], ['a', 'b/c']],
  ['two stars alone', ['**'], ['a', 'a/b', '.x'], []],
  ['two stars at the end, not the folder itself', ['a/**'], ['a/b', 'a/b/c'], ['a', 'ab']],
  ['two stars at the end of a name', ['a**'], ['a', 'ab', 'ab/c'], ['ba']],
  ['two stars at the beginning of a name', ['**a'], ['a', 'ba', 'x/ba'], ['ab']],
  ['two stars between', ['a/**/z'], ['a/z', 'a/b/z', 'a/b/c/z', 'a/z/x'], ['z', 'a/b']],
  ['two stars within a name', ['a**z'], ['az', 'ab/z', 'ab/c/z'], ['abz']],
  ['brackets', ['[ab]c', 'x[0-9]', 'y[^z]'], ['ac', 'bc', 'x5', 'ya'], ['cc', 'x', 'yz']],
  ['a star does not cross folders', ['a/*.js'], ['a/x.js'], ['a/b/x.js']],
  ['names that start with a dot are like others', ['*', '!.env'], ['.git', '.git/config'], ['.env']],
  ['a backslash takes the meaning', ['\\*', 'a\\?'], ['*', 'a?'], ['b', 'ab']],
  [
    'characters that mean something elsewhere',
    ['a.b', 'a+b', '(x)', '{a,b}', '$x', 'a|b', '^'],
    ['a.b', 'a+b', '(x)', '{a,b}', '$x', 'a|b', '^'],
    ['axb', 'aab', 'a', 'x'],
  ],
  ['an exclamation mark with spaces', ['a*', '! ab'], ['a'], ['ab']],
  ['Unicode', ['ä*', '?🙂'], ['äx', 'ü🙂'], ['ax', '🙂']],
  ['names with newlines cannot be named, but stars match them', ['*.txt'], ['a\nb.txt'], ['a\nb']],
]

describe('what is left out, by the rules of Docker', () => {
  test.each(table)('%s', (_title, lines, ignored, kept) => {
    for (const text of [lines.join('\n'), lines.join('\r\n') + '\r\n', `\uFEFF${lines.join('\n')}`]) {
      const ignores = compileDockerignore(text)
      expect(ignored.filter((path) => !ignores(path, false))).toEqual([])
      expect(kept.filter((path) => ignores(path, false))).toEqual([])
    }
  })

  test('a folder is only left out whole when nothing below can come back', () => {
    const whole = (lines: string[], ...paths: string[]) => paths.map((path) => compileDockerignore(lines.join('\n'))(path, true))
    expect(whole(['a', '!a/b/c'], 'a', 'a/x', 'a/b', 'a/b/c', 'a/b/d')).toEqual([false, true, false, false, true])
    expect(whole(['e', '!e/**/x'], 'e', 'e/y/z')).toEqual([false, false])
    expect(whole(['f/*', '!f/[gh]/x'], 'f', 'f/g', 'f/z')).toEqual([false, false, true])
    expect(whole(['i', '!other'], 'i', 'i/j', 'other')).toEqual([true, true, false])
    // could be anywhere
    expect(whole(['d', '!**/k'], 'd', 'd/e')).toEqual([false, false])
  })

  test('the root is never left out', () => {
    expect(compileDockerignore('*')('', true)).toBe(false)
  })
})

describe('what Docker refuses', () => {
  test.each(['[', 'a[', '[]', '[^]', '[a-]', '[-a]', '[b-a]', 'a\\', '!', '! ', '!/'])('%s', (line) => {
    let thrown: unknown
    try {
      compileDockerignore(`ok\n${line}\n`, '/p/.dockerignore')
    } catch (error) {
      thrown = error
    }
    expect(isDevloopError(thrown) && thrown.info).toMatchObject({
      code: 'build/context',
      where: { file: '/p/.dockerignore', line: 2 },
    })
  })
})

test('the file beside the Dockerfile comes before the one of the context', () => {
  expect(dockerignoreFiles('/c', '/d/Dockerfile.dev')).toEqual(['/d/Dockerfile.dev.dockerignore', '/c/.dockerignore'])
  expect(dockerignoreFiles('/c')).toEqual(['/c/.dockerignore'])
})
