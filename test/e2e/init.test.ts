// `devloop init` as a command: what it prints, what it writes, and what it refuses.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homes, project, put, run, type Ended } from '../support/devloop.js'

const files = {
  'package.json': JSON.stringify({ name: 'hello', scripts: { start: 'node server.js' }, dependencies: { express: '4' } }),
  'server.js': 'require("express")().listen(process.env.PORT || 4000)',
}

async function sources(more: Readonly<Record<string, string>> = {}): Promise<{
  folder: string
  init: (...args: string[]) => Promise<Ended>
  text: (path: string) => Promise<string>
}> {
  const folder = await project({ ...files, ...more })
  const config = await project({ kubeconfig: 'current-context: kind-here\n' })
  const env = { ...(await homes()), KUBECONFIG: join(config, 'kubeconfig'), XDG_CONFIG_HOME: config }
  return {
    folder,
    init: (...args) => run(['init', ...args], { cwd: folder, env }),
    text: (path) => readFile(join(folder, path), 'utf8'),
  }
}

test('findings are told with their proof, and files are written once', async () => {
  const { folder, init, text } = await sources()
  const first = await init('--yes')
  expect([first.code, first.stderr]).toEqual([0, ''])
  expect(first.stdout).toMatch(/Express +package\.json/)
  expect(first.stdout).toMatch(/port 4000 +server\.js/)
  expect(first.stdout).toContain('Next: devloop watch')
  expect((await readdir(folder)).sort()).toEqual(['.dockerignore', 'Devloopfile.ts', 'Dockerfile', 'package.json', 'server.js'])
  expect(await text('Devloopfile.ts')).toContain("cluster: { contexts: ['kind-here'] }")

  await put(join(folder, 'Devloopfile.ts'), '// mine')
  const second = await init('--yes')
  expect([second.code, await text('Devloopfile.ts')]).toEqual([0, '// mine'])
  expect(second.stdout).toContain('There is a Devloopfile.ts, which is kept')
  await init('--yes', '--force')
  expect(await text('Devloopfile.ts')).toContain('defineDevloop')
})

test('a dry run and JSON: nothing is written, and all is told', async () => {
  const { folder, init } = await sources()
  const { code, stdout } = await init('--json', '--dry-run')
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    project: 'hello',
    components: [{ name: 'hello', kind: 'node', port: 4000, dockerfile: 'Dockerfile' }],
    files: [
      { path: 'Dockerfile', action: 'create', text: expect.stringContaining('AS dev') },
      { path: '.dockerignore', action: 'create' },
      { path: 'Devloopfile.ts', action: 'create' },
    ],
    written: false,
  })
  expect((await init('--dry-run', '--yes')).stdout).toContain('--- Devloopfile.ts\n')
  expect((await readdir(folder)).sort()).toEqual(['package.json', 'server.js'])
})

test('without a terminal it asks nothing, and says so', async () => {
  const { init } = await sources()
  const { code, stderr } = await init()
  expect([code, stderr]).toEqual([0, 'devloop: this is no terminal: what cannot be known is decided as with --yes\n'])
})

test('base images come from where a file, the configuration folder, or a mirror says', async () => {
  const { init, text, folder } = await sources({ 'my-bases.yaml': 'node: registry.example.com/node:{version}\n' })
  await init('--yes', '--bases', 'my-bases.yaml')
  expect(await text('Dockerfile')).toContain('FROM registry.example.com/node:22 AS base')

  const other = await sources()
  await other.init('--yes', '--mirror', 'mirror.example.com/hub')
  expect(await other.text('Dockerfile')).toContain('FROM mirror.example.com/hub/library/node:22-slim AS base')

  const wrong = await init('--yes', '--force', '--bases', join(folder, 'package.json'))
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('init/bases')])
})

test('a context that sounds like production is only allowed by name', async () => {
  const { init, text } = await sources()
  const config = await project({ kubeconfig: 'current-context: eu-production-1\n' })
  const other = await project(files)
  const env = { ...(await homes()), KUBECONFIG: join(config, 'kubeconfig') }
  const { stderr } = await run(['init', '--yes'], { cwd: other, env })
  expect(stderr).toContain("'eu-production-1', which sounds like production")
  expect(await readFile(join(other, 'Devloopfile.ts'), 'utf8')).not.toContain('contexts')
  await init('--yes', '--context', 'eu-production-1')
  expect(await text('Devloopfile.ts')).toContain("contexts: ['eu-production-1']")
})

test('where nothing could run, nothing is written', async () => {
  const folder = await project({ 'notes.txt': 'nothing' })
  const env = await homes()
  const nothing = await run(['init', '--yes'], { cwd: folder, env })
  expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining('init/nothing')])
  const nowhere = await run(['init', '--yes', 'no-such-folder'], { cwd: folder, env })
  expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('init/folder')])
  expect(await readdir(folder)).toEqual(['notes.txt'])
})
