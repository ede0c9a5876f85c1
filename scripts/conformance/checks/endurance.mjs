// "Limits", "Slow clients", "Heartbeat and goodbye": what keeps one client from harming the daemon or another one.
import { setTimeout as delay } from 'node:timers/promises'
import { helloMessage } from '../wire.mjs'

/** Of a client's message. */
const most = 1024 * 1024

export const checks = [
  {
    name: 'limits/large-message',
    says: 'A message may have 1 MiB; a larger one closes the connection with 1009.',
    async run({ greet, same }) {
      const wire = await greet({ topics: [] })
      const filler = (bytes) => {
        const text = JSON.stringify({ type: 'later', filler: '' })
        return text.replace('""', `"${'x'.repeat(bytes - text.length)}"`)
      }
      wire.sendText(filler(most))
      await wire.settled()
      wire.sendText(filler(most + 1))
      same((await wire.closedWith('after a message of 1 MiB and a byte')).code, 1009, 'the close code')
    },
  },
  {
    name: 'limits/deep-message',
    says: 'A message is valid or not, however deep it is.',
    async run({ greet, same }) {
      const wire = await greet({ topics: [] })
      const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
      wire.sendText(`{"type":"later","deep":${deep}}`)
      wire.sendText(`{"type":"logs","logs":{"resources":${deep}}}`)
      same((await wire.take((one) => one.type === 'error', 'error')).error.code, 'protocol/invalid', 'the code')
      same((await wire.request('why', { path: '/x', deep: [] })).error, undefined, 'the error of a request afterwards')
    },
  },
  {
    name: 'limits/invalid-messages',
    says: 'The connection goes on for up to 50 messages that are not valid; then close code 4400.',
    async run({ greet, same }) {
      const wire = await greet({ topics: [] })
      for (let i = 0; i < 49; i++) wire.sendText('nothing')
      await wire.settled()
      wire.sendText('nothing')
      same((await wire.closedWith('after 50 messages that are not valid')).code, 4400, 'the close code')
    },
  },
  {
    name: 'limits/clients',
    says: 'There are at most 64 clients; another is refused with 503, and there is room again when one goes.',
    async run({ open, greet, http, transport, check }) {
      const wires = []
      let refusal
      while (!refusal && wires.length <= 64) {
        try {
          wires.push(await open())
          wires.at(-1).send(helloMessage({ topics: [] }))
        } catch (error) {
          refusal = error.message
        }
      }
      check(/503/.test(refusal ?? ''), `after ${wires.length} connections: ${refusal ?? 'no refusal'}`)
      check(
        (await http({ path: '/healthz', headers: transport.token ? { Authorization: `Bearer ${transport.token}` } : {} }))
          .status === 200,
        'the health check is refused too',
      )
      wires[0].close()
      // the daemon has to notice first
      const end = performance.now() + 10_000
      for (;;) {
        const again = await greet({ topics: [] }).catch(() => undefined)
        if (again) break
        check(performance.now() < end, 'a client is still refused after another has gone')
        await delay(50)
      }
      for (const wire of wires) wire.close()
      await delay(200)
    },
  },
  {
    name: 'slow/gets-the-newest',
    says: 'A client that pauses holds nobody up, and gets the newest state when it goes on, in fewer messages.',
    needs: ['talk'],
    async run({ greet, nudge, write, agree, check }) {
      const [slow, other] = [await greet({ topics: ['state', 'logs'] }), await greet()]
      slow.ws.pause()
      for (let i = 0; i < 5; i++) await nudge()
      await write('talk')
      await agree(other, await greet())
      check(
        slow.received.filter((one) => one.type === 'delta').length <= 1,
        'the client that pauses was sent more than one delta',
      )
      slow.ws.resume()
      await agree(slow, await greet())
    },
  },
  {
    name: 'heartbeat/ping',
    says: 'Every 20 s the daemon sends a ping with the sequence number; the client answers `pong`, which has no answer.',
    beside: true,
    async run({ greet, check, same }) {
      const wire = await greet()
      const ping = await wire.take((one) => one.type === 'ping', 'ping', 45_000)
      check(ping.seq >= wire.welcome.seq, `the ping has seq ${ping.seq}, the welcome ${wire.welcome.seq}`)
      wire.send({ type: 'pong' })
      await wire.settled()
      same(
        wire.received.filter((one) => one.type === 'error'),
        [],
        'the errors',
      )
    },
  },
  {
    name: 'heartbeat/websocket-ping',
    says: 'A ping of the WebSocket itself is answered by its pong.',
    async run({ greet, same }) {
      const wire = await greet({ topics: [] })
      const pong = new Promise((resolve) => wire.ws.once('pong', (data) => resolve(data.toString())))
      wire.ws.ping('there?')
      same(await Promise.race([pong, delay(10_000, 'none', { ref: false })]), 'there?', 'the pong')
    },
  },
  {
    name: 'heartbeat/silent-client',
    says: 'A client that neither reads nor says anything for two minutes is disconnected; close code 4408.',
    beside: true,
    patient: true,
    async run({ greet, same }) {
      const wire = await greet()
      const { code } = await wire.closedWith('though the client says nothing', 180_000)
      same(code, 4408, 'the close code')
    },
  },
]

/** Of the daemon's end: asked for last, and only when the daemon may be ended. */
export const ending = {
  name: 'goodbye',
  says: 'When the daemon ends, it says why in a goodbye, and closes with 1001; a request that ends it is answered before.',
  async run({ greet, same, check }) {
    const [watching, asking] = [await greet(), await greet()]
    const reply = await asking.request('shutdown', {})
    same(reply.result, { accepted: true }, 'the result of shutdown')
    for (const wire of [watching, asking]) {
      const { code } = await wire.closedWith('after shutdown', 30_000)
      same(code, 1001, 'the close code')
      const last = wire.received.at(-1)
      same(last.type, 'goodbye', 'the last message')
      check(last.reason !== '', 'the goodbye has no reason')
    }
  },
}
