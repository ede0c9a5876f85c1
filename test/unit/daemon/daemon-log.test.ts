// The daemon's log does not grow without bound, however long the daemon runs.
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createDaemonLog } from '../../../src/daemon/daemon-log.js'

test('a log that has grown makes room while it is written to, and loses no line doing so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'devloop-log-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const write = (from: number, to: number): void => {
    const log = createDaemonLog(folder, 10_000)
    for (let n = from; n < to; n++)
      log.line({ resource: '', source: 'test', level: 'warn', text: `line ${n} ${'x'.repeat(100)}` })
    log.close()
  }
  const numbers = async (name: string): Promise<number[]> =>
    [...(await readFile(join(folder, name), 'utf8')).matchAll(/line (\d+) /g)].map(([, n]) => Number(n))
  write(0, 500)
  expect((await readdir(folder)).toSorted()).toEqual(['daemon.log', 'daemon.log.1'])
  for (const name of ['daemon.log', 'daemon.log.1']) {
    const { size, mode } = await stat(join(folder, name))
    expect(size).toBeLessThan(11_000)
    expect(mode & 0o777).toBe(0o600)
  }
  const kept = [...(await numbers('daemon.log.1')), ...(await numbers('daemon.log'))]
  expect(kept.at(-1)).toBe(499)
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => 500 - kept.length + index))
  // and the next daemon goes on where it was
  write(500, 510)
  expect((await numbers('daemon.log')).at(-1)).toBe(509)
})
