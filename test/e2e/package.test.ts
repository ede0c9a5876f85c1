// The package as users get it: packed, installed into an empty folder.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { project, repository } from '../support/devloop.js'

const exec = promisify(execFile)

test('the packed tarball installs, its command runs, and its types complete a Devloopfile', { timeout: 300_000 }, async () => {
  const folder = await project({
    'package.json': '{"type":"module","private":true}',
    'Devloopfile.ts': `
import { app, defineDevloop } from 'devloop'
import type { DevloopClient } from 'devloop/client'
import { protocolVersion, type View } from 'devloop/protocol'
export type Both = DevloopClient | View
export default defineDevloop(() => ({ name: 'x-' + protocolVersion.major, resources: [app('web', { image: 'nginx', port: 80 })] }))
`,
    'wrong.ts': `
import { app } from 'devloop'
app('web', { imagee: 'nginx' })
`,
  })
  const packed = JSON.parse(
    (await exec('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: repository })).stdout,
  ) as [{ filename: string }]
  await exec('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, packed[0].filename)], { cwd: folder })
  const { version } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as { version: string }
  expect((await exec('npx', ['devloop', 'version'], { cwd: folder })).stdout).toBe(`${version}\n`)
  const tsc = (file: string) =>
    exec(
      join(repository, 'node_modules/.bin/tsc'),
      ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', '', file],
      { cwd: folder },
    )
  await tsc('Devloopfile.ts')
  await expect(tsc('wrong.ts')).rejects.toMatchObject({ stdout: expect.stringContaining("'imagee' does not exist") as string })
})
