// The clients of section `clients`, in a process of their own, so that what they do costs the one that measures nothing.
// argv: path of the daemon's socket, file of the built client library.
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { WebSocket } from 'ws'

const [socket, library] = process.argv.slice(2)
const { connectDevloop } = await import(pathToFileURL(library).href)

const endpoint = { socket }
const open = (topics = ['state']) => connectDevloop({ endpoint, name: 'bench', topics, backoff: { minMs: 5, maxMs: 20 } })

/** A client that follows the log, and counts what it gets. */
function follower() {
  const client = open()
  const seen = { lines: 0, dropped: 0, wrong: undefined }
  let last = 0
  client.logs({}, ({ lines, dropped }) => {
    for (const { cursor } of lines) {
      // over all resources cursors have no gaps but those that are counted
      if (last > 0 && cursor !== last + 1 && dropped === 0) seen.wrong ??= `cursor ${cursor} after ${last}`
      last = cursor
    }
    seen.lines += lines.length
    seen.dropped += dropped
  })
  return { client, seen }
}

/** A client that reads nothing more once it was greeted. */
async function stalled() {
  const ws = new WebSocket('ws://localhost/v1/stream', {
    createConnection: () => connect({ path: socket }),
    perMessageDeflate: false,
  })
  const views = new Map()
  const key = ({ kind, name }) => `${kind}/${name}`
  let closed = false
  const greeted = new Promise((resolve, reject) => {
    ws.on('error', reject)
    ws.on('close', () => (closed = true))
    ws.on('message', (data) => {
      const message = JSON.parse(data)
      for (const view of message.snapshot ?? message.upserts ?? []) views.set(key(view), view)
      for (const gone of message.removes ?? []) views.delete(key(gone))
      if (message.type === 'welcome') resolve()
    })
  })
  ws.on('open', () =>
    ws.send(
      JSON.stringify({ type: 'hello', protocol: { major: 1, minor: 0 }, client: 'bench stalled', topics: ['state', 'logs'] }),
    ),
  )
  await greeted
  ws.pause()
  return { views: () => views, goOn: () => ws.resume(), closed: () => closed }
}

/** A client that breaks its connection each second and resumes. */
function restless() {
  let ws
  const client = connectDevloop({
    endpoint,
    name: 'bench restless',
    backoff: { minMs: 5, maxMs: 20 },
    createSocket: ({ socket: path }) =>
      (ws = new WebSocket('ws://localhost/v1/stream', { createConnection: () => connect({ path }), perMessageDeflate: false })),
  })
  let times = 0
  const timer = setInterval(() => {
    if (client.state !== 'open') return
    times++
    ws.terminate()
  }, 1_000)
  return { client, times: () => times, stop: () => clearInterval(timer) }
}

const followers = [follower(), follower(), follower()]
const quiet = Array.from({ length: 15 }, () => open())
const broken = restless()
const slow = await stalled()
await Promise.all(
  [...followers.map(({ client }) => client), ...quiet, broken.client].map((client) => client.whenOpen({ timeoutMs: 60_000 })),
)

/** Every live client comes to have what a client sees that comes now. @returns what is wrong, if anything */
async function check() {
  broken.stop()
  slow.goOn()
  const fresh = open()
  await fresh.whenOpen({ timeoutMs: 30_000 })
  const live = [
    ...followers.map(({ client }, i) => [`follower ${i}`, () => client.views()]),
    ...quiet.map((client, i) => [`client ${i}`, () => client.views()]),
    ['the one that reconnects', () => broken.client.views()],
    // it may have been disconnected for its slowness
    ...(slow.closed() ? [] : [['the stalled one', slow.views]]),
  ]
  const end = performance.now() + 30_000
  for (;;) {
    const wrong = live.filter(([, views]) => !isDeepStrictEqual(new Map(views()), new Map(fresh.views()))).map(([name]) => name)
    if (wrong.length === 0) return undefined
    if (performance.now() > end) return `not consistent: ${wrong.join(', ')}`
    await delay(50)
  }
}

process.on('message', (word) => {
  void (async () => {
    if (word === 'counts') return process.send({ lines: followers.map(({ seen }) => seen.lines), cpu: process.cpuUsage() })
    const wrong = await check()
    process.send({
      wrong: wrong ?? followers.map(({ seen }) => seen.wrong).find(Boolean),
      dropped: followers.map(({ seen }) => seen.dropped),
      reconnected: broken.times(),
      stalledClosed: slow.closed(),
    })
  })()
})
process.on('disconnect', () => process.exit())
process.send('ready')
