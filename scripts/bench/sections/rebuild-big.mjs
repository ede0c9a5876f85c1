// The same rebuild beside 200 MB of context that does not change, in a layer of its own; by turns with the small one.
import { writeSeeded } from '../seeded.mjs'
import { countingEngine } from '../engine.mjs'
import { measureRebuild } from '../rebuild.mjs'
import { median, medians } from '../stats.mjs'
import { join } from 'node:path'

export async function section({ options, small, project, open, cleanup, home, say, add }) {
  const n = options.quick ? 2 : 7
  const near = await small()
  const made = await project('big', { layer: 'assets' })
  say('writing 200 MB, and building them once')
  await writeSeeded(join(made.context, 'assets'), { files: 2_000, bytes: 100_000, perFolder: 50 })
  let far = await open(made)
  const results = { small: [], big: [] }
  for (let i = -1; i < n; i++) {
    const text = `rebuild-big ${i} ${Date.now()}`
    const ofBig = await measureRebuild(far, text)
    const ofSmall = await measureRebuild(near, text)
    if (i < 0) continue
    results.big.push(ofBig)
    results.small.push(ofSmall)
  }
  const ms = (list) => list.map((one) => one.ms)
  add({
    id: 'rebuild-big',
    what: 'a rebuild beside 200 MB of unchanged context (2,000 files)',
    values: ms(results.big),
    stages: medians(results.big.map((one) => one.stages)),
  })
  add({ id: 'rebuild-big.small', what: 'the small rebuild, by turns with it', values: ms(results.small) })
  add({
    id: 'rebuild-big.ratio',
    what: 'big / small (medians)',
    unit: '×',
    values: [median(ms(results.big)) / median(ms(results.small))],
    limits: { median: 1.2 },
  })

  const sent = results.big.map((one) => one.sentBytes).filter((bytes) => bytes !== undefined)
  add({
    id: 'rebuild-big.context',
    what: 'context sent for one such rebuild, as the status tells it',
    unit: 'kB',
    values: sent.map((bytes) => bytes / 1000),
    limits: { median: 1_000 },
  })

  // counted apart, so that the counting delays nothing above
  await far.close()
  const counter = await countingEngine(join(home, 'engine.sock'), cleanup)
  if (counter) {
    far = await open(made, { extraEnv: { DOCKER_HOST: counter.host } })
    const before = counter.sent()
    await measureRebuild(far, `counted ${Date.now()}`)
    add({
      id: 'rebuild-big.sent',
      what: 'bytes sent to the Docker engine for one such rebuild',
      unit: 'kB',
      values: [(counter.sent() - before) / 1000],
      limits: { median: 1_000 },
    })
    await far.close()
    await counter.close()
  }
  await made.removeNamespace()
}
