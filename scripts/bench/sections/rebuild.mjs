// A file saved that no live rule covers: build, push, apply, a new pod, until that pod answers.
import { measureRebuild } from '../rebuild.mjs'
import { medians } from '../stats.mjs'

export async function section({ options, small, add }) {
  const session = await small()
  const results = []
  for (let i = -1; i < (options.quick ? 2 : 9); i++) {
    const result = await measureRebuild(session, `rebuild ${i} ${Date.now()}`)
    if (i >= 0) results.push(result)
  }
  const n = { values: results.map((one) => one.ms) }
  add({
    id: 'rebuild',
    what: 'a change no rule covers until the new pod answers, 2 kB context',
    ...n,
    limits: { median: 1_800 },
    stages: medians(results.map((one) => one.stages)),
  })
}
