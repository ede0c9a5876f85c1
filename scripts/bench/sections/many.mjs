// 1,000 files of 2 kB saved at once, until all are in the pod; and the same as one bare tar.
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { stagesSince } from '../devloop.mjs'
import { openTarFloor } from '../floor.mjs'
import { median, medians } from '../stats.mjs'

const folders = Array.from({ length: 20 }, (_, i) => `d${i}`)

export async function section({ options, small, cluster, add }) {
  const n = options.quick ? 2 : 10
  const session = await small()
  const probe = session.probe()
  const floor = await openTarFloor(await cluster(), session.target())
  const settled = () =>
    session.client.waitFor((views) => [...views.values()].every((view) => view.kind !== 'change' || view.outcome !== 'pending'))

  /** @param local folder in the context; `remote` is where it is in the container, `beside` where the floor writes */
  async function measure({ local: name, remote, beside }) {
    const local = join(session.project.context, name)
    const times = { devloop: [], floor: [], saving: [], stages: [] }
    for (let i = -1; i < n; i++) {
      // the first run makes the files, the others change them
      const files = generation(`generation ${i} ${Date.now()}`)
      await probe.ask(`/list?${folders.map((one) => `${remote}/${one}`).join(',')}`)
      const saved = performance.timeOrigin + performance.now()
      const start = performance.now()
      for (const folder of folders) mkdirSync(join(local, folder), { recursive: true })
      for (const [path, content] of files.list) writeFileSync(join(local, path), content)
      const saving = performance.now() - start
      const { at } = await probe.until(`/count?${files.mark}`, (answer) => answer === '1000', { pauseMs: 2 })
      await session.changes.settled(saved)
      await settled()
      const hash = await probe.ask(`/hash?${remote}`)
      if (hash !== files.hash) throw new Error('the files in the pod are not those that were saved')

      await probe.ask(`/list?${folders.map((one) => `${beside}/${one}`).join(',')}`)
      await delay(300)
      const again = generation(`floor ${i} ${Date.now()}`)
      const floorStart = performance.now()
      const put = floor.put(beside, again.list)
      const floorSeen = await probe.until(`/count?${again.mark}`, (answer) => answer === '1000', { pauseMs: 2 })
      await put
      await delay(300)
      if (i < 0) continue
      times.devloop.push(at - start)
      times.saving.push(saving)
      times.floor.push(floorSeen.at - floorStart)
      times.stages.push({ ...burstStages(session.changes.changes, saved), 'saved all': saving, answer: at - start })
    }
    return times
  }

  const memory = await measure({ local: 'memory', remote: '/dev/shm/many', beside: '/dev/shm/floor' })
  const disk = await measure({ local: 'many', remote: '/app/many', beside: '/app/floor/many' })
  await floor.close()
  probe.close()
  const rows = (id, where, times, limits) => {
    add({
      id,
      what: `1,000 files of 2 kB saved at once until all are in the pod, ${where}`,
      values: times.devloop,
      limits,
      stages: medians(times.stages),
    })
    add({ id: `${id}.saving`, what: 'of it: writing them on this machine', values: times.saving })
    add({ id: `${id}.floor`, what: 'the same as one bare tar on an open stream, extracted in place', values: times.floor })
    add({
      id: `${id}.ratio`,
      what: 'that / its floor (medians): what is left of it on a machine with other work',
      unit: '×',
      values: [median(times.devloop) / median(times.floor)],
    })
  }
  rows('many', "in the container's memory", memory, { median: 300 })
  rows('many-disk', "on the container's disk", disk, {})
}

/** The daemon takes a burst as a few changes: the first save goes at once, the others are gathered. */
function burstStages(changes, saved) {
  const all = [...changes.values()].filter((change) => change.at >= saved - 2).toSorted((a, b) => a.at - b.at)
  const last = all.at(-1)
  const named = (change, name) =>
    Object.fromEntries(Object.entries(stagesSince(change, saved)).map(([stage, ms]) => [`${name} ${stage}`, ms]))
  return { '(changes)': all.length, ...named(all[0], 'first'), ...(all.length > 1 ? named(last, 'last') : {}) }
}

function generation(mark) {
  const name = mark.replaceAll(' ', '-')
  const list = folders.flatMap((folder) =>
    Array.from({ length: 50 }, (_, i) => [
      `${folder}/f${i}.txt`,
      Buffer.from(`${name}\n${randomBytes(1_480).toString('base64')}`.slice(0, 2_000)),
    ]),
  )
  const hash = createHash('sha256')
  for (const [path, content] of list.toSorted(([a], [b]) => (a < b ? -1 : 1))) hash.update(`/${path}`).update(content)
  return { mark: name, list, hash: hash.digest('hex') }
}
