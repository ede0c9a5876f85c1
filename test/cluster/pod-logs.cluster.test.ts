// What pods say reaches the log of their resource: whole, once, whatever becomes of the pods and of the connection.
import { expect, onTestFinished, test } from 'vitest'
import { proxiedCluster } from '../support/cluster.js'
import { loop } from '../support/loop.js'
import { listen, objects, sh, workload } from '../support/workloads.js'
import { waitFor } from '../support/wait-for.js'

const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => `line ${from + index}`)
const count = (from: number, to: number): string =>
  `i=${from}; while [ $i -lt ${to} ]; do echo "line $i"; i=$((i+1)); [ $((i % 10)) = 0 ] && sleep 0.1; done`

test('lines are neither lost nor doubled by cuts of the connection and restarts of the container [tilt-24]', async () => {
  const { proxy, kubeconfig, close } = await proxiedCluster()
  onTestFinished(close)
  // each life of the container goes on counting where the last one stopped
  const life = `n=$(cat /keep/n 2>/dev/null || echo 0); echo $((n+200)) > /keep/n; to=$((n+200)); ${count(0, 0).replace('i=0', 'i=$n').replace('-lt 0', '-lt $to')}; [ $n -lt 400 ] && exit 3; sleep 3600`
  const pod = {
    containers: [sh('main', life, { volumeMounts: [{ name: 'keep', mountPath: '/keep' }] })],
    volumes: [{ name: 'keep', emptyDir: {} }],
  }
  const one = await loop({
    env: { KUBECONFIG: kubeconfig.file },
    devloopfile: objects([workload('apps/v1', 'Deployment', 'talker', pod)]),
    files: {},
  })
  const watching = await one.watch()
  const said = listen(watching)
  for (const upTo of [40, 120, 190, 260]) {
    await waitFor(() => said.of('main').length >= upTo, { what: `${upTo} lines`, everyMs: 2, timeoutMs: 60_000 })
    proxy.cut()
    await waitFor(() => proxy.connections() === 0, { what: 'the cut' })
    // also over the end of the container
    if (upTo === 190) await new Promise((go) => setTimeout(go, 1500))
    proxy.restore()
  }
  await waitFor(() => said.of('main').includes('line 599'), { what: 'the last line', timeoutMs: 90_000 })
  expect(said.of('main')).toEqual(numbers(0, 600))
})

test('init containers, sidecars and both containers of a pod are heard and shown [tilt-24]', async () => {
  const pod = {
    initContainers: [
      sh('prepare', 'echo prepared'),
      sh('side', 'echo beside; exec sleep 3600', { restartPolicy: 'Always' }),
      sh('late', 'echo last before the start'),
    ],
    containers: [sh('main', 'echo main; exec sleep 3600'), sh('other', 'echo other; exec sleep 3600')],
  }
  const one = await loop({ devloopfile: objects([workload('apps/v1', 'Deployment', 'many', pod)]), files: {} })
  const watching = await one.begin()
  const said = listen(watching)
  for (const [container, text] of Object.entries({
    prepare: 'prepared',
    side: 'beside',
    late: 'last before the start',
    main: 'main',
    other: 'other',
  }))
    await waitFor(() => said.of(container).includes(text), { what: `${container} to be heard` })
  expect(said.lines.find((line) => line.container === 'side')?.source).toMatch(/^many-.*\/side$/)
  expect(watching.resource('it')?.pods[0]?.containers).toMatchObject([
    { name: 'prepare', kind: 'init', state: 'ended', exitCode: 0 },
    { name: 'side', kind: 'sidecar', state: 'running' },
    { name: 'late', kind: 'init', state: 'ended', exitCode: 0 },
    { name: 'main', kind: 'main', state: 'running' },
    { name: 'other', kind: 'main', state: 'running' },
  ])
  // each once
  expect(said.lines.filter((line) => line.container !== undefined)).toHaveLength(5)
})

test('pods that are gone at once are heard: a bare pod, and the pod of a Job that is deleted when it is done [tilt-24]', async () => {
  const brief = (name: string): object => ({ restartPolicy: 'Never', containers: [sh(name, `echo "${name} was here"`)] })
  const one = await loop({
    devloopfile: objects([
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare' }, spec: brief('bare') },
      workload('batch/v1', 'Job', 'once', brief('once'), { ttlSecondsAfterFinished: 0 }),
    ]),
    files: {},
  })
  const watching = await one.watch()
  const said = listen(watching)
  for (const name of ['bare', 'once'])
    await waitFor(() => said.of(name).includes(`${name} was here`), { what: `${name} to be heard`, timeoutMs: 60_000 })
  const jobs = `/apis/batch/v1/namespaces/${one.namespace}/jobs`
  await waitFor(async () => ((await one.connection.request('GET', jobs)) as { items: unknown[] }).items.length === 0, {
    what: 'the Job to be deleted',
    timeoutMs: 60_000,
  })
  // done is done, also when nothing is left of it
  await watching.until('it', (view) => view.ready, 60_000)
  expect(said.of('once')).toEqual(['once was here'])
})
