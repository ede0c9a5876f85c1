// A client that reads nothing for a minute while 10,000 log lines and 500 changes pass: what it costs the daemon and a second client.
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { openInspector } from '../inspector.mjs'
import { openProcess, writeProcessProject } from './process.mjs'

export async function section({ options, home, launcher, add }) {
  if (process.platform !== 'linux') return 'it reads /proc, which only Linux has'
  const plan = options.quick ? { changes: 50, lines: 1_000, overMs: 6_000 } : { changes: 500, lines: 10_000, overMs: 60_000 }
  const project = await writeProcessProject(home, 'slow-client')
  const session = await openProcess(launcher, project, { nodeArgs: ['--inspect=127.0.0.1:0'] })
  const inspector = await openInspector(session.daemon)
  session.client.logs({}, () => {})
  const probe = session.probe()

  // the same once before, so that what a daemon keeps anyway (newest lines, newest changes) is there
  const before = await busy(session, probe, { ...plan, overMs: plan.overMs / 2 })
  const start = await inspector.memory()
  const slow = await openSlow(await session.daemon.socket(), session.client)
  slow.pause()
  const during = await busy(session, probe, plan)
  const end = await inspector.memory()
  slow.resume()
  await slow.catchesUp()
  slow.close()
  inspector.close()
  probe.close()
  await session.daemon.stop()
  add({
    id: 'slow-client.heap',
    what: 'growth of the heap (after collection) while a client reads nothing',
    unit: 'MB',
    values: [end.heap - start.heap],
    limits: { median: 20 },
  })
  add({
    id: 'slow-client.memory',
    what: 'growth of resident memory meanwhile',
    unit: 'MB',
    values: [end.rss - start.rss],
    limits: { median: 20 },
  })
  add({ id: 'slow-client.other', what: 'save until a second client sees the change live, meanwhile', values: during })
  add({ id: 'slow-client.before', what: 'the same before, with no slow client', values: before })
  return undefined
}

/** Saves and log lines, evenly over a time. @returns from each save until this client saw the change live, ms */
async function busy({ project, changes }, probe, { changes: count, lines, overMs }) {
  const file = join(project.context, 'files/value.txt')
  const values = []
  const begin = performance.now()
  for (let i = 0; i < count; i++) {
    const saved = performance.timeOrigin + performance.now()
    const start = performance.now()
    writeFileSync(file, `change ${i} ${saved}\n`)
    await changes.settled(saved)
    values.push(performance.now() - start)
    await probe.ask(`/log?${Math.round(lines / count)}`)
    await delay(Math.max(0, begin + ((i + 1) / count) * overMs - performance.now()))
  }
  return values
}

/** A bare client that can stop reading its socket. */
async function openSlow(path, other) {
  const views = new Map()
  const key = ({ kind, name }) => `${kind}/${name}`
  let seq = 0
  const open = () =>
    new Promise((resolve, reject) => {
      const ws = new WebSocket('ws://localhost/v1/stream', {
        createConnection: () => connect({ path }),
        perMessageDeflate: false,
      })
      ws.on('open', () =>
        ws.send(
          JSON.stringify({
            type: 'hello',
            protocol: { major: 1, minor: 0 },
            client: 'bench slow',
            topics: ['state', 'logs'],
            logs: { tail: 0 },
          }),
        ),
      )
      ws.on('error', reject)
      ws.on('message', (data) => {
        const message = JSON.parse(data)
        if (message.type === 'ping') ws.send(JSON.stringify({ type: 'pong' }))
        if (message.type === 'welcome') {
          views.clear()
          for (const view of message.snapshot) views.set(key(view), view)
          resolve(ws)
        }
        if (message.type === 'delta') {
          for (const view of message.upserts) views.set(key(view), view)
          for (const gone of message.removes) views.delete(key(gone))
        }
        if (message.seq !== undefined) seq = message.seq
      })
    })
  let ws = await open()
  let closed = false
  ws.on('close', () => (closed = true))
  return {
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    async catchesUp() {
      const end = performance.now() + 10_000
      while (!isDeepStrictEqual(views, new Map(other.views()))) {
        // it may have been disconnected for its slowness; then it begins anew
        if (closed) {
          ws = await open()
          closed = false
        }
        if (performance.now() > end) throw new Error(`the slow client's state is not that of the other one (seq ${seq})`)
        await delay(50)
      }
    },
    close: () => ws.terminate(),
  }
}
