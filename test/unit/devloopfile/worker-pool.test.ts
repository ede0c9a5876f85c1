// The threads that Devloopfiles run in.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { ownFiles } from '../../../src/devloopfile/own-files.js'
import { createWorkerPool } from '../../../src/devloopfile/worker-pool.js'
import { project } from '../../support/devloop.js'

test('an evaluation that is aborted while its thread is still being started never runs', async () => {
  const pool = createWorkerPool({ own: ownFiles(), timeoutMs: 60_000, memoryMb: 64 })
  onTestFinished(() => pool.close())
  const bundle = join(await project({}), 'bundle.mjs')
  await writeFile(bundle, 'for (;;) {}')
  const abort = new AbortController()
  const context = { user: 'ann', args: [], runtime: 'process' } as const
  const job = { bundle: pathToFileURL(bundle).href, map: '', file: bundle, own: [], context }
  const evaluation = pool.evaluate(job, () => {}, abort.signal)
  abort.abort()
  await expect(evaluation).rejects.toThrow('aborted')
})
