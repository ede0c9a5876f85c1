// Apps that run to their end, as processes of this machine.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { waitFor } from '../../../support/wait-for.js'
import { createHarness, never, type Harness } from './harness.js'

let one: Harness
beforeEach(async () => {
  one = await createHarness()
  one.write('src/greeting.txt', 'hello')
})
afterEach(() => one.close())

const job = (script: string, retries = 0) => one.app({ ports: {}, job: { retries }, process: { command: ['sh', '-c', script] } })
const until = (what: string, condition: () => unknown): Promise<unknown> =>
  waitFor(condition, { what, timeoutMs: 10_000, everyMs: 5 })
const observed = () => one.observed.get('api')

test('one that ends well is ready then, and stays so; a restart runs it again', async () => {
  await one.deploy(job(`while [ ! -e ${one.dir}/go ]; do sleep 0.01; done; echo ran >> ${one.dir}/ran`), await one.build())
  await until('it to run', () => observed()?.pods[0]?.phase === 'running')
  expect(observed()).toMatchObject({ rolledOut: false, message: 'runs', pods: [{ ready: false }] })
  writeFileSync(join(one.dir, 'go'), '')
  await until('it to succeed', () => observed()?.rolledOut)
  expect(observed()).toMatchObject({
    rolledOut: true,
    pods: [{ phase: 'succeeded', ready: true, containers: [{ restarts: 0 }] }],
  })
  expect(observed()?.error).toBeUndefined()
  await one.runtime.replacePod({ namespace: '', name: observed()?.pods[0]?.name ?? '' }, never)
  await until('it to run again', () => readFileSync(join(one.dir, 'ran'), 'utf8') === 'ran\nran\n' && observed()?.rolledOut)
})

test('one that fails is an error, and repeated as often as it says', async () => {
  await one.deploy(job(`echo x >> ${one.dir}/tries; echo no luck; exit 4`, 1), await one.build())
  await until('both tries', () => observed()?.pods[0]?.containers[0]?.restarts === 1 && observed()?.pods[0]?.phase === 'failed')
  expect(observed()).toMatchObject({
    rolledOut: false,
    message: 'The process of api ended with exit code 4.',
    error: { code: 'app/exited', why: 'no luck' },
  })
  expect(readFileSync(join(one.dir, 'tries'), 'utf8')).toBe('x\nx\n')
})

test('volumes are not mounted, and that is told; a working folder is one of the stage', async () => {
  const app = one.app({
    ports: {},
    job: { retries: 0 },
    workdir: '/app/src',
    volumes: [{ kind: 'named', name: 'data', path: '/data', size: '1Gi' }],
    process: { command: ['test', '-e', 'greeting.txt'] },
  })
  const { warnings } = await one.deploy(app, await one.build())
  expect(warnings).toMatchInlineSnapshot(`
    [
      {
        "code": "app/volume",
        "help": "Let \`process\` use other paths, or run on a cluster.",
        "message": "Nothing is mounted for api on this machine: it finds no /data.",
        "where": {
          "file": "/project/Devloopfile.ts",
          "line": 1,
        },
        "why": "Without a container, these would be paths of the machine itself.",
      },
    ]
  `)
  await until('it to succeed', () => observed()?.rolledOut)
})
