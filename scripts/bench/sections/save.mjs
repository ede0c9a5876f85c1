// One synced file saved, until the app in the pod answers with it; and the same by the floor, save by save in the same container.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stagesSince } from '../devloop.mjs'
import { openFileFloor } from '../floor.mjs'
import { pauseBetween } from '../pause.mjs'
import { median, medians } from '../stats.mjs'

export async function section({ options, small, cluster, add }) {
  const n = options.quick ? 10 : 60
  const session = await small()
  const probe = session.probe()
  const floor = await openFileFloor(await cluster(), session.target())
  const file = join(session.project.context, 'files/value.txt')
  const content = (who, i) => `${who} ${i} ${Date.now()} ${'x'.repeat(200)}\n`
  const visible = (path, text) => probe.until(`/read?${path}`, (answer) => answer === text)
  const times = { devloop: [], floor: [], ack: [] }
  const stages = []

  const byDevloop = async (i) => {
    const text = content('devloop', i)
    const saved = performance.timeOrigin + performance.now()
    const start = performance.now()
    writeFileSync(file, text)
    const { at } = await visible('files/value.txt', text)
    const change = await session.changes.settled(saved)
    if (i < 0) return
    times.devloop.push(at - start)
    stages.push({ ...stagesSince(change, saved), answer: at - start })
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
  add({
    id: 'save',
    what: 'save one synced file until an HTTP answer from the pod holds it',
    values: times.devloop,
    limits: { median: 30, p99: 100 },
    stages: medians(stages),
  })
  add({ id: 'save.floor', what: 'the same by a stream made by hand, into the same container', values: times.floor })
  add({ id: 'save.floor-ack', what: 'that stream: until its shell says that it is done', values: times.ack })
  add({
    id: 'save.ratio',
    what: 'save / its floor (medians)',
    unit: '×',
    values: [median(times.devloop) / median(times.floor)],
    limits: { median: 3 },
  })
}
