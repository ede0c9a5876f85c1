import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openDetachedLog } from '../../../src/daemon/detached.js'

it('the log of a daemon in the background is bounded, readable by its user alone, and gone on with', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'detached-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const files = { log: join(folder, 'watch.log') }
  const first = openDetachedLog(files, 1_000)
  for (let i = 0; i < 500; i++) first.write(`line ${i} of many\n`)
  const sizes = await Promise.all([files.log, `${files.log}.1`].map(async (file) => (await stat(file)).size))
  for (const size of sizes) expect(size).toBeLessThanOrEqual(1_020)
  expect(await readFile(files.log, 'utf8')).toMatch(/line 499 of many\n$/)
  expect((await stat(files.log)).mode & 0o777).toBe(0o600)
  openDetachedLog(files, 1_000_000).write('the next one\n')
  expect(await readFile(files.log, 'utf8')).toMatch(/line 499 of many\nthe next one\n$/)
})
