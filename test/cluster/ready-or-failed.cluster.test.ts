// What others wait for: an app whose readiness is ignored, a Job that fails, and one that succeeds after some tries.
import { expect, test } from 'vitest'
import { loop, type Names } from '../support/loop.js'
import { listen } from '../support/workloads.js'
import { waitFor } from '../support/wait-for.js'

const answering = `['node', '-e', "require('node:http').createServer((_, response) => response.end('here')).listen(8080)"]`
const devloopfile =
  (resources: string) =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { app, defineDevloop, manifests } from 'devloop'
const [base, port] = ['${base}', ${port}]
const running = { image: base, command: ['sh', '-c', 'trap "exit 0" TERM; sleep 3600 & wait'] }
const job = (name: string, script: string, more: Record<string, unknown> = {}) => manifests(name, {
  apiVersion: 'batch/v1', kind: 'Job', metadata: { name },
  spec: { ...more, template: { spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 0, containers: [
    { name: 'main', image: base, command: ['sh', '-c', script],
      env: [{ name: 'GO', valueFrom: { configMapKeyRef: { name: 'go', key: 'go', optional: true } } }] },
  ] } } },
})
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [${resources}],
}))
`

test("readiness: 'ignore': ready once it is deployed, whatever its probe says, for whoever needs it and for its forward", async () => {
  const never = `{ exec: ['false'], period: 1 }`
  const options = `image: base, command: ${answering}, port: 8080, probe: ${never}`
  const one = await loop({
    files: {},
    devloopfile: devloopfile(`
      app('lax', { ${options}, readiness: 'ignore', forward: port }),
      app('strict', { ${options} }),
      app('after', { ...running, needs: ['lax'] }),
      app('waiting', { ...running, needs: ['strict'] })`),
  })
  const watching = await one.watch()
  await watching.until('after', (view) => view.ready, 90_000)
  await one.answers('here')
  // its pod runs, and is as unready as that of the other
  const lax = await watching.until('lax', (view) => view.pods[0]?.phase === 'running')
  expect(lax).toMatchObject({ ready: true, status: 'ready', pods: [{ ready: false }] })
  const strict = await watching.until('strict', (view) => view.pods[0]?.phase === 'running')
  expect(strict).toMatchObject({ ready: false, pods: [{ ready: false }] })
  expect(watching.resource('waiting')).toMatchObject({ ready: false, pods: [], hold: { code: 'needs' } })
  expect(watching.resource('lax')?.error).toBeUndefined()
  // taken back, it counts like any other
  await one.save('Devloopfile.ts', devloopfile(`app('lax', { ${options}, forward: port })`)(one))
  await watching.until('lax', (view) => !view.ready && view.status !== 'ready')
})

test('what needs a Job that fails is not started, and says so; once the Job succeeds it is', async () => {
  const web = `app('web', { ...running, needs: ['migrate'] })`
  const one = await loop({
    files: {},
    devloopfile: devloopfile(`job('migrate', 'echo no such table; exit 3', { backoffLimit: 0 }), ${web}`),
  })
  const watching = await one.watch()
  const { error } = await watching.until('migrate', (view) => view.error?.code === 'job/failed', 90_000)
  expect(error).toMatchObject({ message: expect.stringMatching(/migrate failed/) as string })
  await watching.until('migrate', (view) => /no such table/.test(view.error?.why ?? ''))
  expect(watching.resource('web')).toMatchObject({
    ready: false,
    pods: [],
    hold: { code: 'needs', message: 'it needs migrate' },
  })
  expect(await one.pods('web')).toEqual([])
  await one.save('Devloopfile.ts', devloopfile(`job('migrate', 'echo done', { backoffLimit: 0 }), ${web}`)(one))
  await watching.until('web', (view) => view.ready, 90_000)
  expect(watching.resource('migrate')).toMatchObject({ ready: true, status: 'ready' })
  expect(watching.resource('migrate')?.error).toBeUndefined()
})

test(
  'a Job whose pods fail some times before one succeeds: each is heard and told once, and it is well in the end',
  { timeout: 240_000 },
  async () => {
    const script = 'echo "try of $HOSTNAME"; test -n "$GO" || { echo "not yet in $HOSTNAME"; exit 5; }; echo "well in $HOSTNAME"'
    const one = await loop({
      files: {},
      devloopfile: devloopfile(`job('seed', '${script}', { backoffLimit: 6 }), app('web', { ...running, needs: ['seed'] })`),
    })
    const watching = await one.watch()
    const said = listen(watching)
    const heard = (word: string): string[] => said.of('main').filter((line) => line.startsWith(word))
    await waitFor(() => heard('not yet').length >= 2, { what: 'two tries that fail', timeoutMs: 120_000 })
    expect(watching.resource('seed')?.ready).toBe(false)
    expect(watching.resource('web')).toMatchObject({ pods: [], hold: { code: 'needs' } })
    await one.connection.request('POST', `/api/v1/namespaces/${one.namespace}/configmaps`, {
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'go' }, data: { go: 'yes' } },
    })
    await watching.until('web', (view) => view.ready, 150_000)
    const seed = watching.resource('seed')
    expect(seed).toMatchObject({ ready: true, status: 'ready' })
    expect(seed?.error).toBeUndefined()

    const tries = heard('try of')
    expect(tries.length).toBeGreaterThanOrEqual(3)
    expect(new Set(tries).size).toBe(tries.length)
    expect(heard('well in')).toHaveLength(1)
    expect(heard('not yet')).toHaveLength(tries.length - 1)
    // what went wrong with each pod, once
    const failed = tries.map((line) => line.slice('try of '.length)).filter((name) => !heard('well in')[0]?.endsWith(name))
    for (const name of failed) {
      const told = watching
        .output()
        .split('\n')
        .filter((line) => line.includes(`(pod ${name})`))
      expect(told).toEqual([expect.stringMatching(/seed.*ended with exit code 5/)])
    }
  },
)
