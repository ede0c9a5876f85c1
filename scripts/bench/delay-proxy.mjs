// The API server far away: a TCP proxy that hands on each piece of data a while after it came, in both directions.
import { createServer, connect } from 'node:net'

/** Bytes on their way in one direction; more are not taken in, as on a line that is full. */
const onTheWay = 16 << 20

/**
 * @param target address of the API server
 * @param ms each way
 * @returns the same address by way of the proxy
 */
export async function openDelayProxy({ target, ms, cleanup }) {
  const url = new URL(target)
  const far = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || (url.protocol === 'http:' ? 80 : 443)) }
  const sockets = new Set()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const other = connect({ ...far, allowHalfOpen: true, noDelay: true })
    for (const socket of [near, other]) {
      sockets.add(socket)
      socket.on('error', () => (near.destroy(), other.destroy()))
      socket.on('close', () => sockets.delete(socket))
    }
    handOn(near, other, ms)
    handOn(other, near, ms)
  })
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const close = cleanup.add('proxy of the API server', () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  url.hostname = '127.0.0.1'
  url.port = String(server.address().port)
  return { server: url.href.replace(/\/$/, ''), close }
}

function handOn(from, to, ms) {
  const queue = []
  let bytes = 0
  let timer
  const arm = () => {
    timer ??= setTimeout(give, Math.max(0, (queue[0]?.due ?? 0) - performance.now()))
  }
  const give = () => {
    timer = undefined
    while (queue.length > 0 && queue[0].due <= performance.now()) {
      const { data } = queue.shift()
      if (to.destroyed) return
      // an end is handed on in its place
      if (data === undefined) return void to.end()
      bytes -= data.length
      to.write(data)
    }
    if (from.isPaused() && bytes + to.writableLength < onTheWay) from.resume()
    if (queue.length > 0) arm()
  }
  const put = (data) => {
    queue.push({ data, due: performance.now() + ms })
    arm()
  }
  from.on('data', (data) => {
    bytes += data.length
    put(data)
    if (bytes + to.writableLength > onTheWay) from.pause()
  })
  to.on('drain', () => from.resume())
  from.on('end', () => put(undefined))
  from.on('close', () => {
    // cut, not ended: at once, as nothing more comes
    if (!from.readableEnded) to.destroy()
  })
}
