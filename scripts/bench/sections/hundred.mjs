// 100 resources without images until all are seen ready, by turns with kubectl apply and wait of the same objects.
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { median } from '../stats.mjs'
import { memory, processorMs } from '../usage.mjs'

const run = promisify(execFile)
const count = 100

export async function section({ options, registry, suffix, home, cluster, launcher, say, add }) {
  const { context, makeNamespace, watchPods, freePodSlots, hasKubectl } = await cluster()
  if (!(await hasKubectl())) return 'it needs kubectl to compare with'
  const free = await freePodSlots()
  if (free < count) return `the cluster has room for ${free} more pods, and ${count} are needed`
  const image = `${registry}/testbed/busybox:1`
  const times = { devloop: [], kubectl: [], lag: [], cpu: [], mb: [] }
  const runs = options.quick ? 1 : 3

  /** A namespace with the 100 objects in it while `work` runs; `lastReady` tells when the last pod was seen Ready. */
  async function within(name, work) {
    const namespace = await makeNamespace(`devloop-bench-${name}-${suffix}`)
    const objects = Array.from({ length: count }, (_, i) => deployment(`r${i + 1}`, namespace.name, image))
    const ready = new Map()
    const watch = watchPods(namespace.name, (pod, at) => {
      if (!ready.has(pod.metadata.name) && pod.status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'))
        ready.set(pod.metadata.name, at)
    })
    try {
      await work(namespace.name, objects, () => Math.max(...ready.values()))
    } finally {
      watch.stop()
      say(`${name}: removing 100 pods`)
      await namespace.remove(true)
      await delay(3_000)
    }
  }

  for (let i = 0; i < runs; i++) {
    await within(`kubectl-${i}`, async (namespace, objects) => {
      const file = join(home, `objects-${i}.json`)
      await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
      const start = performance.now()
      await run('kubectl', ['apply', '-n', namespace, '-f', file], { maxBuffer: 1 << 26 })
      await run('kubectl', ['wait', '-n', namespace, '--for=condition=Available', '--timeout=300s', 'deployment', '--all'], {
        maxBuffer: 1 << 26,
      })
      times.kubectl.push(performance.now() - start)
    })
    await within(`hundred-${i}`, async (namespace, objects, lastReady) => {
      const folder = join(home, `hundred-${i}`)
      await mkdir(folder)
      await writeFile(join(folder, 'objects.json'), JSON.stringify(objects))
      const devloopfile = join(folder, 'Devloopfile.ts')
      await writeFile(devloopfile, source(namespace, context))
      const daemon = launcher.start({ devloopfile, namespace })
      const { client } = daemon.connect()
      const at = await daemon.ready(client, 300_000)
      if (process.platform === 'linux') times.cpu.push(await processorMs(daemon.pid))
      times.devloop.push(at - daemon.startedAt)
      // the bench hears of the pod by a watch of its own, which may come after devloop's
      await delay(1_000)
      times.lag.push(at - lastReady())
      if (process.platform === 'linux') times.mb.push((await memory(daemon.pid)).mb)
      await daemon.stop()
    })
  }
  add({ id: 'hundred', what: '100 resources without images until all are seen ready', values: times.devloop })
  add({
    id: 'hundred.kubectl',
    what: 'the same objects by kubectl apply and kubectl wait, by turns with it',
    values: times.kubectl,
  })
  add({
    id: 'hundred.ratio',
    what: 'devloop / kubectl (medians)',
    unit: '×',
    values: [median(times.devloop) / median(times.kubectl)],
    limits: { median: 1.15 },
  })
  add({ id: 'hundred.lag', what: 'seen ready after the last pod turned Ready', values: times.lag, limits: { median: 500 } })
  // without /proc there are no figures of it
  if (times.cpu.length === 0) return undefined
  add({ id: 'hundred.cpu', what: 'processor time of the daemon and its children until then', values: times.cpu })
  add({
    id: 'hundred.memory',
    what: 'resident memory of the daemon and its children a second later',
    unit: 'MB',
    values: times.mb,
  })
  return undefined
}

const deployment = (name, namespace, image) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image, command: ['sleep', '100000'] }] },
    },
  },
})

const source = (namespace, context) => `import { defineDevloop, manifests, readJson } from 'devloop'

const objects = readJson('objects.json') as any[]

export default defineDevloop({
  name: 'bench-hundred',
  cluster: { contexts: [${JSON.stringify(context)}], namespace: ${JSON.stringify(namespace)} },
  resources: objects.map((object) => manifests(object.metadata.name, object)),
})
`
