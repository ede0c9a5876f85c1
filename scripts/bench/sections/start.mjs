// The daemon started with everything deployed already, until all is ready; also after live syncs.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export async function section({ options, small, closeSmall, open, add }) {
  await small()
  const project = await closeSmall()
  const n = options.quick ? 2 : 6
  const plain = []
  const synced = []
  const clientSeen = []
  for (let i = 0; i < n; i++) {
    for (const values of [plain, synced]) {
      const session = await start(open, project)
      values.push(session.readyMs)
      clientSeen.push(session.connectedMs)
      // what the next start finds: files that were synced after the image was built
      const text = `synced before start ${i} ${Date.now()}\n`
      const saved = performance.timeOrigin + performance.now()
      writeFileSync(join(project.context, 'files/value.txt'), text)
      await session.changes.settled(saved)
      await session.close()
      await delay(300)
    }
  }
  add({ id: 'start', what: 'start with nothing to do, after live syncs, until all is ready', values: [...plain.slice(1), ...synced], limits: { median: 1_500 } })
  add({ id: 'start.connected', what: 'of it: until a client is connected', values: clientSeen })
}

async function start(open, project) {
  let readyMs
  let connectedMs
  const session = await open(project, {
    onStart: async (daemon, client) => {
      void client.whenOpen().then(() => (connectedMs = performance.now() - daemon.startedAt))
      readyMs = (await daemon.ready(client)) - daemon.startedAt
    },
  })
  const pods = [...session.pods.values()].filter((pod) => !pod.metadata.deletionTimestamp)
  if (pods.length > 1) throw new Error(`a start with nothing to do made a new pod:\n${session.daemon.text()}`)
  return { ...session, readyMs, connectedMs }
}
