// The checks of `devloop doctor`: what each makes of what it found, and that none of them is in the way of another.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { judgeClocks } from '../../../src/daemon/doctor/clock-check.js'
import { judgeDisks, type Disk } from '../../../src/daemon/doctor/disk-check.js'
import { checks, runChecks } from '../../../src/daemon/doctor/doctor.js'
import { ok, type Check, type Finding, type Room, type Said } from '../../../src/daemon/doctor/finding.js'
import { judgeNode, oldestNode } from '../../../src/daemon/doctor/machine-checks.js'
import { dnsSaid } from '../../../src/daemon/doctor/registry-checks.js'
import { judgeWatches } from '../../../src/daemon/doctor/watches-check.js'
import { DevloopError, isDevloopError } from '../../../src/errors/devloop-error.js'

/** What a check says, or the code of what it throws. */
function said(judge: () => Said): string {
  try {
    const { status, error } = judge()
    return [status, error?.code].filter(Boolean).join(' ')
  } catch (thrown) {
    if (!isDevloopError(thrown)) throw thrown
    return `failed ${thrown.code}`
  }
}

test('Node.js must be as new as the package says', async () => {
  const file = fileURLToPath(new URL('../../../package.json', import.meta.url))
  const { engines } = JSON.parse(await readFile(file, 'utf8')) as { engines: { node: string } }
  expect(engines.node).toBe(`>=${oldestNode}`)
  for (const version of ['v20.20.0', 'v20.21.3', 'v22.0.0']) expect(said(() => judgeNode(version))).toBe('ok')
  for (const version of ['v20.19.9', 'v18.30.0']) expect(said(() => judgeNode(version))).toBe('failed machine/node')
})

test('clocks: what cannot be told apart agrees, seconds are a warning, minutes break certificates', () => {
  const clock = (aheadMs: number, withinMs = 500) => ({ whose: 'the cluster', aheadMs, withinMs })
  expect(judgeClocks([clock(400)])).toEqual({ status: 'ok', text: 'agrees with the cluster' })
  expect(said(() => judgeClocks([clock(-5400)]))).toBe('ok')
  expect(said(() => judgeClocks([clock(5400, 3000)]))).toBe('ok')
  expect(judgeClocks([clock(7000), { whose: 'the engine', aheadMs: -60_000, withinMs: 5 }])).toMatchObject({
    status: 'warning',
    text: 'is 7.0 s behind the cluster, is 60.0 s ahead of the engine',
    error: { code: 'machine/clock', message: "This machine's clock is 60.0 s ahead of the engine." },
  })
  expect(said(() => judgeClocks([clock(-400_000)]))).toBe('failed machine/clock')
})

test('disks: full, nearly full, out of files, and such that tell nothing', () => {
  const gigabyte = 1024 ** 3
  const disk = (kind: Disk['kind'], free: number, files?: number): Disk => ({
    what: kind,
    kind,
    space: { free, all: 100 * gigabyte, ...(files === undefined ? {} : { files }) },
  })
  expect(judgeDisks([disk('state', 5 * gigabyte), { what: 'engine', kind: 'engine', space: undefined }])).toEqual({
    status: 'ok',
    text: 'state: 5.0 GiB free; engine: not known',
  })
  expect(said(() => judgeDisks([disk('state', gigabyte / 10)]))).toBe('warning machine/disk')
  expect(said(() => judgeDisks([disk('state', gigabyte), disk('engine', gigabyte)]))).toBe('warning machine/disk')
  expect(said(() => judgeDisks([disk('state', gigabyte), disk('engine', 10_000)]))).toBe('failed machine/disk')
  expect(said(() => judgeDisks([disk('state', gigabyte, 12)]))).toBe('failed machine/disk')
})

test('watches: more folders than are allowed, and fewer left than are needed', () => {
  const allowance = { name: 'fs.inotify.max_user_watches', limit: 1000, used: 300 }
  expect(said(() => judgeWatches(600, allowance))).toBe('ok')
  expect(said(() => judgeWatches(800, allowance))).toBe('warning watch/limit')
  expect(said(() => judgeWatches(1200, allowance))).toBe('failed watch/limit')
})

test('a name that the cluster does not know', () => {
  expect(said(() => dnsSaid('the same pod', undefined))).toBe('ok')
  expect(said(() => dnsSaid('the same pod', 'lookup kubernetes.default.svc: i/o timeout'))).toBe('failed cluster/dns')
})

test('a check that hangs, one with a defect and one that fails keep no other from its turn; findings come in order', async () => {
  const told: Finding[] = []
  const began: string[] = []
  const check = (name: string, after: readonly string[], work: Check['run'], limitMs?: number): Check => ({
    name,
    after,
    ...(limitMs === undefined ? {} : { limitMs }),
    run: (room, signal) => {
      began.push(name)
      return work(room, signal)
    },
  })
  const list = [
    check('fails', [], async () => Promise.reject(new DevloopError('machine/disk', 'full'))),
    // obeys its signal, as every real one does
    check(
      'hangs',
      [],
      (_room, signal) => new Promise((_, reject) => (signal.onabort = () => reject(signal.reason as Error))),
      20,
    ),
    check('breaks', ['fails'], async () => Promise.reject(new TypeError('x is not a function'))),
    check('works', ['hangs', 'breaks'], async () => ok('fine')),
  ]
  const room: Room = { options: { file: undefined, args: [], readOnly: true }, stateDir: '' }
  const found = await runChecks(list, room, (finding) => told.push(finding), new AbortController().signal)
  expect(found.map((one) => [one.check, one.status, one.error?.code])).toEqual([
    ['fails', 'failed', 'machine/disk'],
    ['hangs', 'failed', 'doctor/timeout'],
    ['breaks', 'failed', 'defect'],
    ['works', 'ok', undefined],
  ])
  expect(told).toEqual(found)
  expect(began).toEqual(['fails', 'hangs', 'breaks', 'works'])
})

test('each check comes after such that stand before it in the list', () => {
  const before = new Set<string>()
  for (const { name, after = [] } of checks) {
    for (const one of after) expect([name, one, before.has(one)]).toEqual([name, one, true])
    before.add(name)
  }
})
