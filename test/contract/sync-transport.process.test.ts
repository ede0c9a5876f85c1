// The process runtime: a stage folder on this machine.
import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readTree } from '../unit/adapters/kube/sync/local-exec.js'
import { createHarness, sync } from '../unit/adapters/process/harness.js'
import { syncBothWaysSuite } from './sync-both-ways.js'
import { syncTransportSuite, type SyncFixture } from './sync-transport.js'

const root = '/work/root'

syncTransportSuite({ name: 'stage folder', open })
syncBothWaysSuite({ name: 'stage folder', open })

async function open(): Promise<SyncFixture> {
  const harness = await createHarness()
  const record = await harness.build(harness.image({ live: [sync('src', root)] }))
  const folder = join(record.ref, root)
  mkdirSync(folder, { recursive: true })
  await harness.deploy(harness.app({ ports: {}, process: { command: ['sleep', '1000'] } }), record)
  await harness.ready('api')
  const session = await harness.session('api', [root])
  return {
    session,
    root,
    readTree: () => Promise.resolve(readTree(folder)),
    shell: async (script) => (await promisify(execFile)('sh', ['-c', script], { env: { ...process.env, ROOT: folder } })).stdout,
    reopen: () => harness.session('api', [root]),
    close: () => harness.close(),
  }
}
