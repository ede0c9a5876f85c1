// devloop/client as a client under test of client.mjs.
import { createInterface } from 'node:readline'
import { connectDevloop } from '../../dist/client.js'

const { DEVLOOP_SOCKET: socket, DEVLOOP_URL: url, DEVLOOP_TOKEN: token } = process.env
const client = connectDevloop({
  endpoint: () => (socket ? { socket } : { url, token }),
  name: 'conformance/1.0',
  backoff: { minMs: 50, maxMs: 500 },
})
const lines = []
let dropped = 0
const write = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`)

const deeds = {
  views: () => write({ views: [...client.views().values()] }),
  lines: () => write({ lines, dropped }),
  logs: ({ logs }) =>
    client.logs(logs, (message) => {
      lines.push(...message.lines.map((line) => line.cursor))
      dropped += message.dropped
    }),
  request: ({ method, params }) =>
    client.request(method, params).then(
      (result) => write({ reply: { method, result } }),
      (error) => write({ reply: { method, error: error.code } }),
    ),
}
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const message = JSON.parse(line)
    void deeds[message.do](message)
  })
  .on('close', () => client.close())
