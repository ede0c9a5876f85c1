// Command lines that are wrong, and commands that need a daemon where none runs: exit codes, and what is said.
import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { homes, project, run } from '../support/devloop.js'
import { wordApp } from '../support/word-app.js'

test.each([
  [['wach'], 'watch'],
  [['watch', '--runtime', 'docker'], 'kubernetes, process'],
  [['watch', '--port', '70000'], '0 to 65535'],
  [['watch', '--port', 'http'], '0 to 65535'],
  [['watch', '--nope'], '--nope'],
  [['watch', '--context'], '--context'],
  [['status', '--wait', 'done'], 'ready'],
  [['status', '--timeout', 'soon'], '90s'],
  [['logs', '--tail', 'all'], 'number'],
  [['prune', 'a'], 'too many arguments'],
  [['trigger'], 'resource'],
  [['why'], 'path'],
  [['down', '--all'], '--all'],
])('devloop %j is not understood', async (args, hint) => {
  const words = await wordApp()
  const { code, stdout, stderr } = await words.run(...args)
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(hint)])
})

test.each([
  [['status']],
  [['status', '--json']],
  [['status', '--wait', 'ready']],
  [['logs']],
  [['logs', '-f', 'words']],
  [['events']],
  [['trigger', 'words']],
  [['why', 'app/src/word.txt']],
])('devloop %j without a daemon', async (args) => {
  const words = await wordApp()
  const { code, stdout, stderr } = await words.run(...args)
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr.replaceAll(words.folder, 'PROJECT')).toBe(
    'devloop: devloop does not run for PROJECT/Devloopfile.ts [daemon/not-running]\n  Start it with `devloop watch`.\n',
  )
})

test.each([['watch'], ['status'], ['logs'], ['events'], ['down']])('devloop %s without a Devloopfile', async (command) => {
  const [cwd, env] = [await project({}), await homes()]
  const { code, stderr } = await run([command], { cwd, env })
  expect([code, stderr]).toEqual([1, expect.stringContaining('[devloopfile/not-found]')])
  const named = await run([command, '--file', 'other.ts'], { cwd, env })
  expect([named.code, named.stderr]).toEqual([1, expect.stringContaining('other.ts')])
  expect(await readdir(cwd)).toEqual([])
})

test.each([[['--help']], [['watch', '--help']], [['help', 'status']], [['version']], [['--version']]])(
  'devloop %j',
  async (args) => {
    const [cwd, env] = [await project({}), await homes()]
    const { code, stdout, stderr } = await run(args, { cwd, env })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(args.join().includes('elp') ? /Usage: devloop/ : /^\d+\.\d+\.\d+\n$/)
  },
)
