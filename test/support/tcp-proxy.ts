// A TCP proxy whose connections can be cut, refused and held up.
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'

export interface TcpProxy {
  readonly port: number
  /** End every connection hard, and from now on every new one at once. */
  cut(): void
  /** End every connection hard, but let new ones through. */
  drop(): void
  /** Do so once, when so many bytes more have come from the clients. */
  dropAfter(bytes: number): void
  /** Bytes that have come from the clients. */
  received(): number
  /** Let nothing pass any more, while all connections stay open; new ones are taken and nothing passes there either. */
  freeze(): void
  /** Connections that are open now lead nowhere any more, and nobody is told, as after the sleep of a machine; new ones pass. */
  strand(): void
  /** End a connection on which nothing has passed for so long, as load balancers do; 0 = never. Milliseconds. */
  endIdle(ms: number): void
  /** Let all pass again, as before `cut` or `freeze`. What froze goes on. */
  restore(): void
  /** Connections that are open now. */
  connections(): number
  close(): Promise<void>
}

export async function tcpProxy(options: { target: { host: string; port: number } }): Promise<TcpProxy> {
  const open = new Set<{ near: Socket; far: Socket; stranded: boolean }>()
  let state: 'open' | 'cut' | 'frozen' = 'open'
  let idleMs = 0
  let received = 0
  let dropAt = Infinity
  const server = createServer({ noDelay: true }, (near) => {
    if (state === 'cut') {
      near.resetAndDestroy()
      return
    }
    const far = createConnection({ ...options.target, noDelay: true })
    const pair = { near, far, stranded: false }
    open.add(pair)
    for (const one of [near, far]) {
      one.setTimeout(idleMs)
      one.on('timeout', () => void (pair.stranded || near.resetAndDestroy()))
    }
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk) => {
        if (from === near) received += chunk.length
        if (received >= dropAt) {
          dropAt = Infinity
          drop()
          return
        }
        if (!to.write(chunk)) from.pause()
      })
      to.on('drain', () => {
        if (state !== 'frozen' && !pair.stranded) from.resume()
      })
      from.on('end', () => to.end())
      from.on('error', () => to.destroy())
      from.on('close', () => {
        to.destroy()
        open.delete(pair)
      })
      if (state === 'frozen') from.pause()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const drop = (): void => {
    for (const { near, far } of open) {
      near.resetAndDestroy()
      far.destroy()
    }
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      state = 'cut'
      drop()
    },
    drop,
    dropAfter(bytes) {
      dropAt = received + bytes
    },
    received: () => received,
    freeze() {
      state = 'frozen'
      for (const { near, far } of open) {
        near.pause()
        far.pause()
      }
    },
    strand() {
      for (const pair of open) {
        pair.stranded = true
        pair.near.pause()
        pair.far.pause()
      }
    },
    endIdle(ms) {
      idleMs = ms
      for (const { near, far } of open) for (const one of [near, far]) one.setTimeout(ms)
    },
    restore() {
      state = 'open'
      for (const { near, far, stranded } of open) {
        if (stranded) continue
        near.resume()
        far.resume()
      }
    },
    connections: () => open.size,
    async close() {
      drop()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
