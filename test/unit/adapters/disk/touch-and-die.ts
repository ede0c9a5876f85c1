// A process that notes paths and kills itself in the same breath; for the test of the state files.
import { createStateFiles } from '../../../../src/adapters/disk/state-files.js'

const state = createStateFiles({ dir: process.argv[2] ?? '', project: 'shop', instance: 'i1' })
await state.saveRecord({
  image: 'shop/api',
  runtime: 'kubernetes',
  digest: 'sha256:1',
  ref: 'registry/shop/api:1',
  inputs: 'inputs',
  tree: new Map(),
  config: { entrypoint: ['node'], cmd: ['x', ''], workingDir: '/app', user: '', shell: true },
  builtAt: 1,
})
await state.touch(
  'c',
  Array.from({ length: 1000 }, (_, i) => `/${i}`),
)
await state.touch('c', ['/last\n'])
process.kill(process.pid, 'SIGKILL')
