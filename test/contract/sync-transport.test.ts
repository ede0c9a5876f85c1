// The shell loop on the shells of this machine.
import { execFileSync } from 'node:child_process'
import { localFixture } from '../unit/adapters/kube/sync/local-exec.js'
import { syncTransportSuite } from './sync-transport.js'

const shells: readonly (readonly [string, readonly string[]])[] = [
  ['sh', ['sh']],
  ['dash', ['dash']],
  ['bash', ['bash', '--posix']],
  ['busybox sh', ['busybox', 'sh']],
  ['mksh', ['mksh']],
]

for (const [name, shell] of shells) {
  if (exists(shell[0] as string)) syncTransportSuite({ name: `shell loop (${name})`, open: () => localFixture(shell) })
}

function exists(program: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program])
    return true
  } catch {
    return false
  }
}
