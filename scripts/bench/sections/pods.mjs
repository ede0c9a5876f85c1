// One file saved for ten pods, until the last of them has it; and the same by ten streams made by hand, all at once.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { stagesSince } from '../devloop.mjs'
import { openFileFloor } from '../floor.mjs'
import { pauseBetween } from '../pause.mjs'
import { createProbe } from '../probe.mjs'
import { port } from '../project.mjs'
import { median, medians } from '../stats.mjs'

const count = 10

export async function section({ options, project, open, cluster, add }) {
  const kube = await cluster()
  const free = await kube.freePodSlots()
  if (free < count) return `the cluster has room for ${free} more pods, and ${count} are needed`
  const made = await project('pods', { replicas: count })
  const session = await open(made)
  const targets = await readyPods(session, made.namespace)
  const probes = targets.map(({ address }) => createProbe(address, port))
  const floors = await Promise.all(targets.map((target) => openFileFloor(kube, target)))
  const times = { devloop: [], floor: [], stages: [] }
  const content = (who, i) => `${who} ${i} ${Date.now()} ${'x'.repeat(200)}\n`

  /** Each pod is asked once, and answers when it has the text: ten that were asked without pause would take up the machine. */
  async function measure(path, text, begin) {
    const asked = probes.map((probe) =>
      probe.ask(`/when?${encodeURIComponent(`${path},${text}`)}`, 60_000).then((answer) => {
        if (answer !== text) throw new Error(`a pod answered: ${answer.slice(0, 200)}`)
        return performance.now()
      }),
    )
    // whoever fails early is heard below
    for (const one of asked) one.catch(() => {})
    // all pods have the question by then
    await pauseBetween(100, 200)
    const saved = performance.timeOrigin + performance.now()
    const start = performance.now()
    const [seen] = await Promise.all([Promise.all(asked), begin()])
    return { saved, all: Math.max(...seen) - start, first: Math.min(...seen) - start }
  }
  const byDevloop = async (i) => {
    const text = content('devloop', i)
    const save = async () => writeFileSync(join(made.context, 'files/value.txt'), text)
    const { saved, all, first } = await measure('files/value.txt', text, save)
    const change = await session.changes.settled(saved)
    if (i < 0) return
    times.devloop.push(all)
    times.stages.push({ ...stagesSince(change, saved), 'first pod': first, 'last pod': all })
  }
  const byFloor = async (i) => {
    const text = content('floor', i)
    const put = () => Promise.all(floors.map((floor) => floor.put('floor/value.txt', Buffer.from(text))))
    const { all } = await measure('floor/value.txt', text, put)
    if (i >= 0) times.floor.push(all)
  }

  // the first three warm both up
  for (let i = -3; i < (options.quick ? 4 : 60); i++) {
    const both = [byDevloop, byFloor]
    for (const one of i % 2 === 0 ? both : both.toReversed()) {
      await one(i)
      await pauseBetween(100, 200)
    }
  }
  await Promise.all(floors.map((floor) => floor.close()))
  for (const probe of probes) probe.close()
  await session.close()
  await made.removeNamespace()
  add({
    id: 'pods',
    what: `save one synced file until the last of ${count} pods has it`,
    values: times.devloop,
    limits: { median: 100 },
    stages: medians(times.stages),
  })
  add({ id: 'pods.floor', what: `the same by ${count} streams made by hand, all at once`, values: times.floor })
  add({
    id: 'pods.ratio',
    what: 'that / its floor (medians)',
    unit: '×',
    values: [median(times.devloop) / median(times.floor)],
    limits: { median: 1.5 },
  })
  return undefined
}

/** Where all pods are, once the bench's own watch has told them. */
async function readyPods(session, namespace) {
  const end = performance.now() + 60_000
  for (;;) {
    const ready = [...session.pods.values()].filter((pod) =>
      pod.status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
    )
    if (ready.length === count)
      return ready.map(({ metadata, spec, status }) => ({
        namespace,
        pod: metadata.name,
        container: spec.containers[0].name,
        address: status.podIP,
      }))
    if (performance.now() > end) throw new Error(`${ready.length} of ${count} pods are ready`)
    await delay(20)
  }
}
