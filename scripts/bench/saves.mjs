// Saves of one file, each until the app in the pod answers with it, by turns with the floor in the same container.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stagesSince } from './devloop.mjs'
import { openFileFloor } from './floor.mjs'
import { pauseBetween } from './pause.mjs'
import { median, medians } from './stats.mjs'

/**
 * @param session as `open` of the bench gives it
 * @param cluster what the floor's stream is opened by
 * @param file in the context, at the same place below the app's folder
 * @param via address that the floor reaches the API server by; default: the kubeconfig's
 * @returns milliseconds of each save, each put of the floor, and each answer of the floor's shell
 */
export async function measureSaves({ session, cluster, n, file = 'files/value.txt', via }) {
  const probe = session.probe()
  const floor = await openFileFloor(cluster, session.target(), via)
  const local = join(session.project.context, file)
  const content = (who, i) => `${who} ${i} ${Date.now()} ${'x'.repeat(200)}\n`
  const visible = (path, text) => probe.until(`/read?${path}`, (answer) => answer === text)
  const times = { devloop: [], floor: [], ack: [], stages: [] }

  const byDevloop = async (i) => {
    const text = content('devloop', i)
    const saved = performance.timeOrigin + performance.now()
    const start = performance.now()
    writeFileSync(local, text)
    const { at } = await visible(file, text)
    const change = await session.changes.settled(saved)
    if (i < 0) return
    times.devloop.push(at - start)
    times.stages.push({ ...stagesSince(change, saved), answer: at - start })
  }
  const byFloor = async (i) => {
    const text = content('floor', i)
    const start = performance.now()
    let acknowledged
    const put = floor.put('floor/value.txt', Buffer.from(text)).then(() => (acknowledged = performance.now()))
    const { at } = await visible('floor/value.txt', text)
    await put
    if (i < 0) return
    times.floor.push(at - start)
    times.ack.push(acknowledged - start)
  }

  // the first three warm both up
  for (let i = -3; i < n; i++) {
    const both = [byDevloop, byFloor]
    for (const one of i % 2 === 0 ? both : both.toReversed()) {
      await one(i)
      await pauseBetween(60, 160)
    }
  }
  await floor.close()
  probe.close()
  return times
}

/**
 * The rows of such measurements.
 * @param where what is special, for the row's description, such as `, behind a slow line`
 * @param limits of the saves; `ratio`: the most that the medians of saves and floor may differ by
 */
export function addSaves(add, { id, where = '', times, limits, ratio, note }) {
  add({
    id,
    what: `save one synced file until an HTTP answer from the pod holds it${where}`,
    values: times.devloop,
    limits,
    stages: medians(times.stages),
    note,
  })
  add({ id: `${id}.floor`, what: 'the same by a stream made by hand, into the same container', values: times.floor })
  add({ id: `${id}.floor-ack`, what: 'that stream: until its shell says that it is done', values: times.ack })
  add({
    id: `${id}.ratio`,
    what: `${id} / its floor (medians)`,
    unit: '×',
    values: [median(times.devloop) / median(times.floor)],
    limits: ratio === undefined ? {} : { median: ratio },
  })
}
