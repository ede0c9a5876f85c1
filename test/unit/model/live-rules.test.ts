import { describe, expect, test } from 'vitest'
import { compileLiveRules, describeRule, isAlwaysIgnored, replacesProcess } from '../../../src/model/live-rules.js'
import type { LiveRule } from '../../../src/model/plan.js'

const at = { file: '/p/Devloopfile.ts', line: 1 }
const sync = (from: string, to: string): LiveRule => ({ kind: 'sync', from, to, at })
const run = (command: string, ...on: string[]): LiveRule => ({ kind: 'run', command, on, timeoutMs: 1000, at })
const restart = (...on: string[]): LiveRule => ({ kind: 'restart', on, at })
const rebuildOn = (...patterns: string[]): LiveRule => ({ kind: 'rebuildOn', patterns, at })
const ignore = (...patterns: string[]): LiveRule => ({ kind: 'ignore', patterns, at })
const rules = (...live: LiveRule[]) => compileLiveRules({ live })

describe('which rule takes a path', () => {
  test('none: rebuild', () => {
    expect(rules(sync('src', '/app')).classify('README.md')).toEqual({ action: 'rebuild', why: 'no live rule covers it', to: [] })
    expect(rules().classify('a').action).toBe('rebuild')
  })

  test('ignore and rebuildOn before every sync, wherever they stand', () => {
    const compiled = rules(sync('', '/app'), rebuildOn('Dockerfile'), ignore('docs'))
    expect(compiled.classify('Dockerfile')).toMatchObject({
      action: 'rebuild',
      rule: { kind: 'rebuildOn' },
      why: 'rebuildOn("Dockerfile")',
      to: [],
    })
    expect(compiled.classify('docs/a/b')).toMatchObject({ action: 'ignore', rule: { kind: 'ignore' }, to: [] })
    expect(compiled.classify('src/a')).toMatchObject({ action: 'sync', to: ['/app/src/a'] })
  })

  test('of ignore and rebuildOn, the first that matches', () => {
    expect(rules(ignore('a'), rebuildOn('a/b')).classify('a/b').action).toBe('ignore')
    expect(rules(rebuildOn('a/b'), ignore('a')).classify('a/b').action).toBe('rebuild')
    expect(rules(rebuildOn('a/b'), ignore('a')).classify('a/c').action).toBe('ignore')
  })

  test('every sync that covers it, each container path once', () => {
    const compiled = rules(sync('src', '/app/src'), sync('src/web', '/www'), sync('', '/app'), sync('src', '/app/src/'))
    expect(compiled.classify('src/web/a.css').to).toEqual(['/app/src/web/a.css', '/www/a.css'])
    expect(compiled.classify('src/web/a.css').why).toBe('sync("src", "/app/src")')
  })

  test('a sync covers what its own patterns leave of it', () => {
    const only = rules(
      { kind: 'sync', from: 'src', to: '/app', include: ['src/**/*.py', 'src/conf'], exclude: ['**/test_*'], at },
      sync('src/test_data', '/data'),
    )
    expect(only.classify('src/a/b.py')).toMatchObject({ action: 'sync', to: ['/app/a/b.py'], why: 'sync("src", "/app", ...)' })
    expect(only.classify('src/conf/x.yaml').to).toEqual(['/app/conf/x.yaml'])
    expect(only.classify('src/a.txt')).toEqual({ action: 'rebuild', why: 'no live rule covers it', to: [] })
    expect(only.classify('src/a/test_b.py').action).toBe('rebuild')
    expect(only.classify('src/test_data/a').to).toEqual(['/data/a'])
    expect(only.sourcesOf('/app/a/b.py')).toEqual(['src/a/b.py'])
    expect(only.sourcesOf('/app/a.txt')).toEqual([])
  })

  test('run and restart cover nothing', () => {
    expect(rules(run('x', 'a'), restart('a')).classify('a').action).toBe('rebuild')
  })
})

describe('where a sync puts a path', () => {
  test.each([
    ['src', '/app/src', 'src/a/b', '/app/src/a/b'],
    ['src/', '/app/src', 'src/a', '/app/src/a'],
    ['src', '/app/src/', 'src/a', '/app/src/a'],
    ['./src', '/app', 'src/a', '/app/a'],
    ['', '/app', 'a', '/app/a'],
    ['.', '/app/', 'a/b', '/app/a/b'],
    ['', '/', 'a', '/a'],
    ['src', '/', 'src/a', '/a'],
    ['package.json', '/app/package.json', 'package.json', '/app/package.json'],
    ['conf/a.json', '/etc/b.json', 'conf/a.json', '/etc/b.json'],
    ['conf/a.json', '/etc/', 'conf/a.json', '/etc/a.json'],
    ['a.json', '/', 'a.json', '/a.json'],
    ['src', '/app', "src/it's\nodd", "/app/it's\nodd"],
  ])('sync(%j, %j): %j to %j', (from, to, path, expected) => {
    expect(rules(sync(from, to)).classify(path).to).toEqual([expected])
  })

  test('a name that only begins alike is not covered', () => {
    expect(rules(sync('src', '/app')).classify('srcs/a').action).toBe('rebuild')
    expect(rules(sync('src', '/app')).classify('src.ts').action).toBe('rebuild')
  })
})

describe('which files lead to a container path', () => {
  test('the one of the last rule comes first', () => {
    const compiled = rules(sync('common', '/app'), sync('mine', '/app/'), sync('gen/x', '/app/gen'), sync('other', '/srv'))
    expect(compiled.sourcesOf('/app/a')).toEqual(['mine/a', 'common/a'])
    expect(compiled.sourcesOf('/app/gen/y')).toEqual(['gen/x/y', 'mine/gen/y', 'common/gen/y'])
    expect(compiled.isContested('/app/gen/y')).toBe(true)
    expect(compiled.sourcesOf('/srv/a')).toEqual(['other/a'])
    expect(compiled.isContested('/srv/a')).toBe(false)
    expect(compiled.sourcesOf('/etc/a')).toEqual([])
  })

  test('not one that ignore or rebuildOn takes', () => {
    const compiled = rules(sync('common', '/app'), sync('mine', '/app'), ignore('mine/*.log'), rebuildOn('mine/native'))
    expect(compiled.sourcesOf('/app/a.log')).toEqual(['common/a.log'])
    expect(compiled.sourcesOf('/app/native/n')).toEqual(['common/native/n'])
    expect(compiled.isContested('/app/native/n')).toBe(false)
  })

  test('a file into a folder, and a folder of the same name', () => {
    const compiled = rules(sync('a', '/app/'))
    expect(compiled.sourcesOf('/app/a')).toEqual(['a', 'a/a'])
    expect(compiled.isContested('/app/a')).toBe(true)
    expect(compiled.isContested('/app/b')).toBe(false)
  })

  test.each([
    ['', '/', '/a/b', ['a/b']],
    ['', '/app/', '/app/a', ['a']],
    ['src', '/', '/a', ['src/a']],
    ['a.json', '/', '/a.json', ['a.json', 'a.json/a.json']],
    ['conf/a.json', '/etc/b.json', '/etc/b.json', ['conf/a.json']],
  ])('sync(%j, %j): %j', (from, to, path, expected) => {
    expect(rules(sync(from, to)).sourcesOf(path)).toEqual(expected)
  })
})

describe('what a sync triggers', () => {
  const compiled = rules(
    sync('src', '/app/src'),
    run('npm ci', 'package-lock.json'),
    sync('package-lock.json', '/app/package-lock.json'),
    run('build'),
    restart('src/**/*.js'),
    ignore('src/ignored'),
  )

  test('indexes of run rules in the order of the rules, each once', () => {
    expect(compiled.triggers(['src/a', 'package-lock.json', 'src/b']).steps).toEqual([1, 3])
    expect(compiled.triggers(['src/a']).steps).toEqual([3])
  })

  test('restart only for its own paths; without paths for every synced one', () => {
    expect(compiled.triggers(['src/a.ts']).restart).toBe(false)
    expect(compiled.triggers(['src/a.ts', 'src/x/a.js']).restart).toBe(true)
    expect(rules(sync('a', '/a'), restart()).triggers(['a']).restart).toBe(true)
    expect(rules(sync('a', '/a')).triggers(['a']).restart).toBe(false)
  })

  test('notices have their place among the steps; a signal is no restart', () => {
    const reload: LiveRule = { kind: 'notify', how: { kind: 'signal', signal: 'SIGHUP' }, on: ['a'], timeoutMs: 1, at }
    const signal: LiveRule = { kind: 'restart', on: ['a'], signal: 'SIGUSR2', at }
    const told = rules(sync('a', '/a'), run('x'), reload, run('y'), signal)
    expect(told.triggers(['a'])).toEqual({ steps: [1, 2, 3], restart: false, signals: ['SIGUSR2'] })
    expect(rules(sync('', '/a'), reload, signal).triggers(['b'])).toEqual({ steps: [], restart: false, signals: [] })
    expect([reload, signal].map(describeRule)).toEqual(['notify(SIGHUP)', 'restart({ on: ["a"], signal: "SIGUSR2" })'])
    // only what replaces the process needs a supervisor
    expect([replacesProcess({ live: [signal, reload] }), replacesProcess({ live: [signal, restart('b')] })]).toEqual([
      false,
      true,
    ])
  })

  test('nothing for paths that are not synced', () => {
    expect(compiled.triggers(['src/ignored/a.js', 'other', 'src/.a.js.swp'])).toEqual({ steps: [], restart: false, signals: [] })
    expect(compiled.triggers([])).toEqual({ steps: [], restart: false, signals: [] })
  })
})

describe('what need not be watched', () => {
  test('what an ignore rule takes, folders with all below', () => {
    const compiled = rules(ignore('docs', '**/*.log'), sync('', '/app'))
    expect(compiled.ignores('docs', true)).toBe(true)
    expect(compiled.ignores('docs/a', false)).toBe(true)
    expect(compiled.ignores('a/b.log', false)).toBe(true)
    expect(compiled.ignores('a', true)).toBe(false)
    expect(compiled.ignores('', true)).toBe(false)
  })

  test('not a folder in which a rebuildOn may still want something', () => {
    expect(rules(rebuildOn('docs/VERSION'), ignore('docs')).ignores('docs', true)).toBe(false)
    expect(rules(rebuildOn('docs/VERSION'), ignore('docs')).ignores('docs/a', false)).toBe(true)
    expect(rules(ignore('docs'), rebuildOn('docs/VERSION')).ignores('docs', true)).toBe(true)
  })
})

describe('names that are never sources', () => {
  test.each([
    '.git',
    '.git/HEAD',
    'a/.git/config',
    '.hg/x',
    'src/.a.ts.swp',
    '.a.swx',
    '4913',
    'src/a~',
    '.#a',
    '#a#',
    'a.ts___jb_tmp___',
    '.DS_Store',
    'a/.devloop-x',
    '.devloop-tmp/x',
  ])('%s', (path) => {
    expect(isAlwaysIgnored(path)).toBe(true)
    expect(rules(sync('', '/app')).classify(path).action).toBe('ignore')
  })

  test.each([
    '.gitignore',
    '.github/x',
    'git/x',
    'a.swp',
    '49130',
    '4913/x',
    'a~b',
    '~a',
    'x#',
    '.env',
    'node_modules/a',
    'dist/a',
    'devloop-x',
    'Devloopfile.ts',
    'x~/a',
  ])('but not %s', (path) => {
    expect(isAlwaysIgnored(path)).toBe(false)
  })

  test('folders only by the names of version control and of devloop', () => {
    expect(['x~', '4913', '.git', '.devloop-x'].map((path) => isAlwaysIgnored(path, true))).toEqual([false, false, true, true])
  })
})
