// `devloop ci` on a real cluster: the examples pass, and what must fail fails with its reason.
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { CiReport } from '../../src/protocol/messages.js'
import { proxiedCluster, testKubeconfig, testNamespace } from '../support/cluster.js'
import { homes, project, repository, run, start, type Ended } from '../support/devloop.js'
import { loop, type Loop, type Names } from '../support/loop.js'
import { waitFor } from '../support/wait-for.js'

const reportOf = async (folder: string): Promise<CiReport> =>
  JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as CiReport
const outcomes = ({ resources }: CiReport): Record<string, string> =>
  Object.fromEntries(resources.map(({ name, outcome }) => [name, outcome]))

const devloopfile =
  (body: string, resources: string, settings = '') =>
  ({ name, namespace, base }: Names): string =>
    `
import { app, defineDevloop, image, local, manifests } from 'devloop'
const base = '${base}'
const pod = (command: readonly string[], more = {}) => ({ spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: base, command, ...more }] } })
${body}
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  ${settings}
  resources: ${resources},
}))
`

// several runs of devloop one after the other, each with pods that start and end
vi.setConfig({ testTimeout: 400_000 })

async function judged(
  parts: { body?: string; resources: string; settings?: string; files?: Record<string, string> },
  ...args: string[]
): Promise<{ one: Loop; ended: Ended; report: CiReport }> {
  const { body = '', resources, settings, files = {} } = parts
  const one = await loop({ devloopfile: devloopfile(body, resources, settings), files })
  const ended = await one.devloop('ci', '--json', 'report.json', ...args)
  return { one, ended, report: await reportOf(one.folder) }
}

const errorOf = ({ resources }: CiReport, name: string) => resources.find((one) => one.name === name)?.error
const job = (name: string, command: string, backoffLimit: number): string =>
  `manifests('${name}', { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: '${name}' }, spec: { backoffLimit: ${backoffLimit}, template: pod(['sh', '-c', \`${command}\`]) } })`
const running = `command: ['sh', '-c', 'trap "exit 0" TERM; sleep 3600 & wait']`

test('[tilt-26] the examples of the repository pass, stay until they are removed, and pass again with nothing to do', async () => {
  const namespace = await testNamespace('devloop-loop')
  onTestFinished(() => namespace.remove())
  const kubeconfig = await testKubeconfig({ context: 'testbed-dev' })
  onTestFinished(() => kubeconfig.remove())
  const folder = await project({})
  await cp(join(repository, 'examples'), join(folder, 'examples'), { recursive: true })
  await cp(join(repository, 'Devloopfile.example.ts'), join(folder, 'Devloopfile.example.ts'))
  const options = { cwd: folder, env: { ...(await homes()), KUBECONFIG: kubeconfig.file } }
  const registry = process.env.DEVLOOP_TEST_REGISTRY ?? 'localhost:5000'
  const common = ['--file', 'Devloopfile.example.ts', '--namespace', namespace.name]
  const base = ['--', `${registry}/testbed/node:20`]
  const first = await run(['ci', ...common, '--json', 'report.json', '--junit', 'junit.xml', ...base], options)
  expect([first.code, first.stderr]).toEqual([0, ''])
  const report = await reportOf(folder)
  expect(report).toMatchObject({ project: 'example', runtime: 'kubernetes', outcome: 'passed', problems: [] })
  expect(outcomes(report)).toEqual({ api: 'passed', web: 'passed', greeter: 'passed', todo: 'passed' })
  expect(await readFile(join(folder, 'junit.xml'), 'utf8')).toContain('tests="4" failures="0" errors="0" skipped="0"')
  expect(first.stdout).toContain('building example/api')

  const again = await run(['ci', ...common, '--down', ...base], options)
  expect([again.code, again.stderr]).toEqual([0, ''])
  expect(again.stdout).not.toContain('building example/api')
  expect(again.stdout).toContain('api: deleted deployment/api, secret/api.devloop-env, service/api, serviceaccount/api')
  const nothing = await run(['down', ...common, ...base], options)
  expect([nothing.code, nothing.stdout]).toEqual([0, expect.not.stringContaining('deleted')])
})

test('[tilt-26] a build that fails: at once, with the line of the Dockerfile', async () => {
  const { ended, report } = await judged({
    body: `const web = image('ci/web', { context: 'web' })`,
    resources: `[app('web', { image: web, ${running} }), app('other', { image: base, ${running}, needs: ['web'] })]`,
    files: { 'web/Dockerfile': 'FROM scratch\nCOPY missing.txt /\n' },
  })
  expect([ended.code, ended.stderr]).toEqual([1, ''])
  expect(outcomes(report)).toEqual({ web: 'failed', other: 'waiting' })
  expect(errorOf(report, 'web')).toMatchObject({ code: 'build/failed', where: { line: 2 } })
  expect(ended.stdout).toMatch(/✗ web: .*\[build\/failed\]\n {4}at .*web\/Dockerfile:2/)
  expect(ended.stdout).toMatch(/^devloop ci: failed after .*: 1 failed, 1 not ready$/m)
})

test('[tilt-26] an app that crashes: with its last output; a grace lets it come to itself', async () => {
  const crashing = `['sh', '-c', 'echo cannot open the database; exit 4']`
  const { ended, report } = await judged({ resources: `[app('web', { image: base, command: ${crashing} })]` })
  expect(ended.code).toBe(1)
  expect(errorOf(report, 'web')).toMatchObject({ code: 'pod/crashed' })
  expect(ended.stdout).toMatch(/✗ web: .*\[pod\/crashed\]/)
  expect(ended.stdout.slice(ended.stdout.indexOf('✗ web'))).toContain('cannot open the database')

  // the second start of the container finds what the first has left in the pod
  const onceOnly = `[{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'solo' }, spec: { volumes: [{ name: 'v', emptyDir: {} }], containers: [{ name: 'main', image: base, command: ['sh', '-c', 'test -e /v/x && exec sleep 3600; touch /v/x; exit 5'], volumeMounts: [{ name: 'v', mountPath: '/v' }] }] } }]`
  const strict = await judged({ resources: `[manifests('solo', ${onceOnly})]` })
  expect([strict.ended.code, errorOf(strict.report, 'solo')?.code]).toEqual([1, 'pod/crashed'])
  const patient = await judged({ resources: `[manifests('solo', ${onceOnly})]`, settings: `settings: { ci: { grace: 60 } },` })
  expect([patient.ended.code, outcomes(patient.report)]).toEqual([0, { solo: 'passed' }])
})

test('[tilt-26] Jobs: one must succeed, a try may fail, and what needs it waits', async () => {
  const { ended, report } = await judged({
    resources: `[${job('migrate', 'echo no such table; exit 3', 0)}, app('web', { image: base, ${running}, needs: ['migrate'] })]`,
  })
  expect(ended.code).toBe(1)
  expect(outcomes(report)).toEqual({ migrate: 'failed', web: 'waiting' })
  expect(errorOf(report, 'migrate')).toMatchObject({ code: 'job/failed' })
  expect(ended.stdout.slice(ended.stdout.indexOf('✗ migrate'))).toContain('no such table')

  // the container's second start finds what the first has left in the pod
  const second = await judged({
    body: `const spec = { restartPolicy: 'OnFailure', volumes: [{ name: 'v', emptyDir: {} }], containers: [{ name: 'main', image: base, command: ['sh', '-c', 'mkdir /v/once && exit 3; sleep 1'], volumeMounts: [{ name: 'v', mountPath: '/v' }] }] }`,
    resources: `[manifests('migrate', { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate' }, spec: { backoffLimit: 4, template: { spec } } })]`,
  })
  expect([second.ended.code, outcomes(second.report)]).toEqual([0, { migrate: 'passed' }])
})

test('[tilt-26] single resources, with what they need; all others stay as they are, also with --down', async () => {
  const resources = `[app('db', { image: base, ${running} }), app('web', { image: base, ${running}, needs: ['db'] }), app('other', { image: base, ${running} }), app('old', { image: base, ${running} })]`
  const { one, ended } = await judged({ resources })
  expect([ended.code, ended.stderr]).toEqual([0, ''])
  const uids = async (): Promise<Record<string, string | undefined>> =>
    Object.fromEntries(
      await Promise.all(['db', 'web', 'other', 'old'].map(async (name) => [name, (await one.pods(name))[0]?.uid] as const)),
    )
  const before = await uids()
  expect(Object.values(before)).toEqual(Array.from({ length: 4 }, () => expect.any(String) as string))
  // one of them has left the Devloopfile since, and another is disabled in it
  await one.save(
    'Devloopfile.ts',
    devloopfile(
      '',
      `${resources}.slice(0, 3).map((one, i) => (i === 2 ? app('other', { image: base, enabled: false }) : one))`,
    )(one),
  )
  const some = await one.devloop('ci', 'web', '--json', 'report.json')
  expect([some.code, some.stderr, some.stdout]).toEqual([0, '', expect.not.stringContaining('deleted')])
  expect(outcomes(await reportOf(one.folder))).toEqual({ db: 'passed', web: 'passed', other: 'skipped' })
  expect(await uids()).toEqual(before)

  const down = await one.devloop('ci', 'web', '--down')
  expect([down.code, down.stderr]).toEqual([0, ''])
  expect(down.stdout).toContain('web: deleted deployment/web')
  expect(await uids()).toEqual({ ...before, db: undefined, web: undefined })
})

test('[tilt-26] an app that is never ready, and a limit for the whole run', async () => {
  const { ended, report } = await judged(
    { resources: `[app('web', { image: base, ${running}, port: 8080 }), app('ok', { image: base, ${running} })]` },
    '--readiness-timeout',
    '8s',
  )
  expect(ended.code).toBe(1)
  expect(errorOf(report, 'web')).toMatchObject({ code: 'ci/not-ready', message: 'web was not ready within 8 s of its start' })
  const late = await judged({ resources: `[${job('slow', 'sleep 3600', 0)}]` }, '--readiness-timeout', '1s', '--timeout', '15s')
  expect(late.ended.code).toBe(1)
  expect(late.report).toMatchObject({ problems: [{ code: 'ci/timeout' }], resources: [{ name: 'slow', outcome: 'waiting' }] })
})

test('[tilt-26] a cluster that is lost, or not there, or not meant', async () => {
  const { proxy, kubeconfig, close } = await proxiedCluster()
  onTestFinished(close)
  const one = await loop({
    devloopfile: devloopfile('', `[app('ok', { image: base, ${running} }), local('slow', { run: 'sleep 3600', needs: ['ok'] })]`),
    files: {},
    env: { KUBECONFIG: kubeconfig.file },
  })
  const running_ = start(['ci', '--json', 'report.json'], { cwd: one.folder, env: one.env })
  await waitFor(() => running_.output().includes('ok: ready'), { what: 'the app to be ready', timeoutMs: 60_000 })
  await proxy.close()
  expect((await running_.ended).code).toBe(1)
  expect(await reportOf(one.folder)).toMatchObject({ problems: [{ code: 'cluster/unreachable' }], outcome: 'failed' })

  const none = await run(['ci', '--json', 'report.json'], { cwd: one.folder, env: { ...one.env, KUBECONFIG: '/nowhere' } })
  expect([none.code, (await reportOf(one.folder)).problems]).toMatchObject([1, [{ code: 'cluster/none' }]])
  await one.save(
    'Devloopfile.ts',
    devloopfile('', `[app('ok', { image: base })]`)(one).replace(`contexts: ['*']`, 'contexts: []'),
  )
  const elsewhere = await run(['ci', '--json', 'report.json'], {
    cwd: one.folder,
    env: { ...one.env, KUBECONFIG: process.env.KUBECONFIG ?? '' },
  })
  expect([elsewhere.code, (await reportOf(one.folder)).problems]).toMatchObject([1, [{ code: 'cluster/not-allowed' }]])
})
