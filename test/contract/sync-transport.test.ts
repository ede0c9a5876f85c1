// The shell loop on the shells of this machine, with all tools and with few.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'
import { localFixture } from '../unit/adapters/kube/sync/local-exec.js'
import { find, shellsHere } from '../unit/adapters/kube/sync/shells.js'
import { syncResumeSuite } from './sync-resume.js'
import { syncBothWaysSuite } from './sync-both-ways.js'
import { syncTransportSuite, type SyncTransportSuite } from './sync-transport.js'

const suites = (suite: SyncTransportSuite): void => {
  syncTransportSuite(suite)
  syncResumeSuite(suite)
  syncBothWaysSuite(suite)
}

for (const { name, argv } of shellsHere) {
  if (name !== 'busybox') suites({ name: `shell loop (${name})`, open: () => localFixture(argv) })
}

const busybox = find('busybox')
if (busybox) {
  // its own tools, as in an image that is made of it
  const folder = mkdtempSync(path.join(tmpdir(), 'devloop-busybox-'))
  const bin = path.join(folder, 'bin')
  mkdirSync(bin)
  for (const tool of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n'))
    symlinkSync(busybox, path.join(bin, tool))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH ?? ''}` }
  suites({ name: 'shell loop (busybox)', open: () => localFixture([path.join(bin, 'sh')], {}, env) })
}

suites({
  name: 'shell loop (no tar, no stat)',
  open: () => localFixture(['sh'], { without: ['tar', 'stat', 'wc', 'readlink', 'nice'] }),
})
