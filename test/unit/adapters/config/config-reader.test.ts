// What is read of files, folders, env files and commands; and errors, which tell nothing of it.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createConfigReader } from '../../../../src/adapters/config/config-reader.js'
import { createProcessRunner } from '../../../../src/adapters/process/process-runner.js'
import { isDevloopError } from '../../../../src/errors/devloop-error.js'
import type { ConfigSource, ConfigSpec } from '../../../../src/model/plan.js'
import { plainGraph } from '../../../support/plain-graph.js'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'devloop-config-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const put = (name: string, text: string | Buffer): string => {
  const path = join(dir, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return path
}
const spec = (...sources: readonly ConfigSource[]): ConfigSpec => ({
  kind: 'config',
  name: 'creds',
  secret: true,
  sources,
  ...plainGraph,
  forward: [],
  at: { file: '/p/Devloopfile.ts', line: 1 },
})
const reader = createConfigReader({ processes: createProcessRunner(), env: { PATH: process.env.PATH, HOME: '/home/me' } })
const never = new AbortController().signal
const said: string[] = []
const read = async (...sources: readonly ConfigSource[]): Promise<Record<string, string>[]> => {
  said.length = 0
  const all = await reader.read(spec(...sources), (line) => said.push(line), never)
  return all.map((values) => Object.fromEntries([...values].map(([key, value]) => [key, value.toString()])))
}
const problem = async (...sources: readonly ConfigSource[]): Promise<string> => {
  const thrown = await read(...sources).catch((error: unknown) => error)
  if (!isDevloopError(thrown)) throw thrown
  return [thrown.code, thrown.message, thrown.info.why].filter(Boolean).join(' | ').replaceAll(dir, 'DIR')
}
const command = (text: string, format: Extract<ConfigSource, { kind: 'command' }>['format'] = 'dotenv', timeoutMs = 20_000) =>
  ({ kind: 'command', command: text, cwd: dir, watch: [], format, timeoutMs }) as const

test('files, folders and env files; what is read on no machine is empty', async () => {
  const folder = join(dir, 'conf')
  put('conf/a.txt', 'A')
  put('conf/.hidden', 'no')
  put('conf/sub/b.txt', 'no')
  symlinkSync(put('elsewhere', 'linked'), join(folder, 'link'))
  symlinkSync(join(folder, 'sub'), join(folder, 'linked-folder'))
  const env = put('.env', 'A=1\nB="two words" # no\nC=$HOME/${A}\nHOME\nexport D=\'$x\'\n')
  expect(
    await read(
      { kind: 'folder', path: folder },
      { kind: 'values', values: {} },
      { kind: 'file', key: 'x', path: join(folder, 'a.txt') },
      { kind: 'env-file', path: env },
      { kind: 'env-file', path: join(dir, 'none'), optional: true },
      { kind: 'secret', namespace: 'n', name: 's' },
    ),
  ).toEqual([
    { 'a.txt': 'A', link: 'linked' },
    {},
    { x: 'A' },
    { A: '1', B: 'two words', C: '/home/me/1', HOME: '/home/me', D: '$x' },
    {},
    {},
  ])
})

test('what a command prints, in each format', async () => {
  expect(await read(command('echo A=1; echo to people >&2; echo B=2'))).toEqual([{ A: '1', B: '2' }])
  expect(said).toEqual(['to people'])
  expect(await read(command(`echo '{"A": "x", "N": 1, "T": true, "O": {"a": [1]}, "Z": null}'`, 'json'))).toEqual([
    { A: 'x', N: '1', T: 'true', O: '{"a":[1]}' },
  ])
  expect(await read(command(`printf 'A: x\\nN: 012\\nM: |\\n  two\\n  lines\\n'`, 'yaml'))).toEqual([
    { A: 'x', N: '12', M: 'two\nlines\n' },
  ])
  expect(await read(command('echo one; echo; echo two', { key: 'TOKEN' }))).toEqual([{ TOKEN: 'one\n\ntwo' }])
})

test('errors tell what and where, what a command says on stderr, and no content', async () => {
  const bad = put('bad.env', 'A=1\nhunter2 is it\n')
  const dollar = put('dollar.env', 'PASSWORD=hunter2$%\n')
  const all = [
    await problem({ kind: 'env-file', path: bad }),
    await problem({ kind: 'env-file', path: dollar }),
    await problem({ kind: 'env-file', path: join(dir, 'none') }),
    await problem({ kind: 'file', key: 'a', path: dir }),
    await problem({ kind: 'folder', path: bad }),
    await problem(command('echo hunter2; echo not logged in >&2; exit 3')),
    await problem(command('echo hunter2; sleep 30', 'dotenv', 200)),
    await problem(command('no-such-command-anywhere', 'dotenv')),
    await problem(command('echo hunter2', 'json')),
    await problem(command('echo \'["hunter2"]\'', 'json')),
    await problem(command(`printf 'A: 1\\n: : hunter2\\n- x'`, 'yaml')),
    await problem(command(`echo '{"a b": "hunter2"}'`, 'json')),
  ].join('\n')
  expect(all).not.toContain('hunter2')
  expect(all).toMatchInlineSnapshot(`
    "config/source | creds: bad.env, line 2: This line is no NAME=VALUE.
    config/source | creds: dollar.env, line 1: The value of PASSWORD names no variable behind a $.
    config/source | creds: DIR/none cannot be read. | There is no such file.
    config/source | creds: DIR cannot be read. | It is a folder.
    config/source | creds: DIR/bad.env cannot be read. | It is a file.
    config/command | The command of creds failed with exit code 3. | not logged in
    config/command | The command of creds took longer than 0.2 seconds.
    config/command | The command of creds failed with exit code 127. | /bin/sh: 1: no-such-command-anywhere: not found
    config/source | creds: what the command prints is no JSON.
    config/source | creds: what the command prints is no object of names and values in JSON.
    config/source | creds: what the command prints is no YAML (line 2).
    config/source | creds: what the command prints: 'a b' cannot be the name of a value."
  `)
})

test('a command that nobody waits for any more is ended', async () => {
  const abort = new AbortController()
  const reading = reader.read(spec(command('sleep 60')), () => {}, abort.signal)
  abort.abort()
  await expect(reading).rejects.toMatchObject({ name: 'AbortError' })
})
