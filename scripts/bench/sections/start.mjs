// The daemon started with everything deployed already, until all is ready; also after live syncs.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { medians } from '../stats.mjs'

export async function section({ options, small, closeSmall, open, add }) {
  await small()
  const project = await closeSmall()
  const n = options.quick ? 2 : 6
  const plain = []
  const synced = []
  const stages = []
  for (let i = 0; i < n; i++) {
    for (const values of [plain, synced]) {
      const session = await start(open, project)
      values.push(session.readyMs)
      stages.push(session.stages)
      // what the next start finds: files that were synced after the image was built
      const text = `synced before start ${i} ${Date.now()}\n`
      const saved = performance.timeOrigin + performance.now()
      writeFileSync(join(project.context, 'files/value.txt'), text)
      await session.changes.settled(saved)
      await session.close()
      await delay(300)
    }
  }
  add({
    id: 'start',
    what: 'start with nothing to do, after live syncs, until all is ready',
    values: [...plain.slice(1), ...synced],
    limits: { median: 1_500 },
    stages: medians(stages),
  })
}

async function start(open, project) {
  const stages = {}
  const session = await open(project, {
    onStart: async (daemon, client) => {
      const mark = (stage, reached) => {
        if (reached) stages[stage] ??= performance.now() - daemon.startedAt
      }
      const look = () => {
        const { devloopfile, runtime } = client.get('session', 'session') ?? {}
        const image = [...client.views().values()].find((view) => view.kind === 'image')
        const { pods = [], ready } = client.get('resource', 'server') ?? {}
        mark('client connected', true)
        mark('plan in force', devloopfile?.state === 'ok')
        mark('cluster connected', runtime?.state === 'connected')
        mark('image known', image?.state === 'built')
        mark('pod seen', pods.length > 0)
        mark(
          'pod in sync',
          pods.some((pod) => pod.targets.some((target) => target.state === 'in-sync')),
        )
        mark('resource ready', ready)
      }
      const end = client.onViews(look)
      stages.ready = (await daemon.ready(client)) - daemon.startedAt
      end()
    },
  })
  const pods = [...session.pods.values()].filter((pod) => !pod.metadata.deletionTimestamp)
  if (pods.length > 1) throw new Error(`a start with nothing to do made a new pod:\n${session.daemon.text()}`)
  return { ...session, readyMs: stages.ready, stages }
}
