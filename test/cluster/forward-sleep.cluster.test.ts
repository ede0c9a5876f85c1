// Forwarded connections when the network forgets them: a load balancer that ends idle ones, and a machine that slept.
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { proxiedCluster } from '../support/cluster.js'
import { loop, type Names } from '../support/loop.js'
import { waitFor } from '../support/wait-for.js'

const echo = `require('node:net').createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(8080)`
const devloopfile = ({ name, namespace, base, port }: Names): string => `
import { app, defineDevloop } from 'devloop'
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [app('echo', { image: '${base}', command: ['node', '-e', ${JSON.stringify(echo)}], port: 8080, forward: ${port} })],
}))
`

interface Client {
  readonly socket: Socket
  /** All that came so far. */
  text(): string
  isClosed(): boolean
}

function open(port: number): Client {
  const socket = connect({ port, host: '127.0.0.1' })
  onTestFinished(() => void socket.destroy())
  let [text, closed] = ['', false]
  socket.setEncoding('utf8').on('data', (part: string) => (text += part))
  socket.on('error', () => {}).on('close', () => (closed = true))
  return { socket, text: () => text, isClosed: () => closed }
}

async function begin() {
  const { proxy, kubeconfig, close } = await proxiedCluster()
  onTestFinished(close)
  const one = await loop({ env: { KUBECONFIG: kubeconfig.file }, devloopfile, files: {} })
  await one.begin()
  const talk = async (client: Client, word: string, timeoutMs = 30_000): Promise<void> => {
    client.socket.write(word)
    await waitFor(() => client.text().endsWith(word), { what: `the echo of ${word}`, timeoutMs })
  }
  return { one, proxy, talk }
}

test('an idle connection outlives a load balancer that ends idle ones', { timeout: 240_000 }, async () => {
  const { one, proxy, talk } = await begin()
  const client = open(one.port)
  await talk(client, 'first')
  proxy.endIdle(15_000)
  await new Promise((go) => setTimeout(go, 40_000))
  expect(client.isClosed()).toBe(false)
  await talk(client, 'second')
})

test('after a sleep, connections that lead nowhere end, and new ones work', { timeout: 300_000 }, async () => {
  const { one, proxy, talk } = await begin()
  const before = open(one.port)
  await talk(before, 'before')
  const idle = open(one.port)
  await talk(idle, 'idle')

  proxy.strand()
  const after = open(one.port)
  await talk(after, 'after')
  before.socket.write('lost')
  await waitFor(() => before.isClosed() && idle.isClosed(), { what: 'the old connections to end', timeoutMs: 60_000 })
  expect(before.text()).toBe('before')
  await talk(after, 'still there')

  // nothing passes for a while, and what was begun meanwhile leads nowhere either
  proxy.freeze()
  const waiting = Array.from({ length: 60 }, () => open(one.port))
  for (const [i, { socket }] of waiting.entries()) socket.write(`one ${i}`)
  await waitFor(() => after.isClosed(), { what: 'the connection to end that was there', timeoutMs: 60_000 })
  proxy.strand()
  proxy.restore()
  await waitFor(() => waiting.every((one, i) => one.text() === `one ${i}`), {
    what: 'all that waited to be answered',
    timeoutMs: 90_000,
  })
})
