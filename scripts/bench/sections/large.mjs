// 50,000 watched files (250 MB), all of them in the image's context and covered by a sync rule: start, idle, saves.
import { join } from 'node:path'
import { measureIdle } from '../idle.mjs'
import { addSaves, measureSaves } from '../saves.mjs'
import { writeSeeded } from '../seeded.mjs'
import { saveLimits } from './save.mjs'

export async function section({ options, project, open, cluster, launcher, say, add }) {
  const made = await project('large', { layer: 'big', extraRules: ["sync('big', '/app/big')"] })
  say('writing 50,000 files (250 MB), and building them once')
  await writeSeeded(join(made.context, 'big'), { files: 50_000, bytes: 5_000, perFolder: 50 })
  const first = await open(made)
  await first.close()

  const starts = []
  for (let i = 0; i < (options.quick ? 1 : 5); i++) {
    let readyAt
    const session = await open(made, { onStart: async (daemon, client) => (readyAt = await daemon.ready(client, 300_000)) })
    starts.push(readyAt - session.daemon.startedAt)
    await session.close()
  }
  add({
    id: 'large.start',
    what: 'start with nothing to do beside 50,000 files, until all is ready',
    values: starts,
    limits: { median: 5_000 },
  })

  // before any save, so that the daemon is one that was just started
  const daemon = launcher.start({ devloopfile: made.devloopfile, namespace: made.namespace })
  const why = await measureIdle({ id: 'large', of: '50,000 watched files', daemon, limits: { mb: 250 }, options, say, add })
  await daemon.stop()

  const session = await open(made)
  const n = options.quick ? 10 : 60
  const times = await measureSaves({ session, cluster: await cluster(), n, file: 'big/d0/f0.bin' })
  await session.close()
  addSaves(add, { id: 'large.save', where: ', one of 50,000', times, ...saveLimits })
  await made.removeNamespace()
  return why && `idle: ${why}`
}
