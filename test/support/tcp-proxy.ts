// A TCP proxy whose connections can be cut, refused and held up.
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'

export interface TcpProxy {
  readonly port: number
  /** End every connection hard, and from now on every new one at once. */
  cut(): void
  /** End every connection hard, but let new ones through. */
  drop(): void
  /** Let nothing pass any more, while all connections stay open; new ones are taken and nothing passes there either. */
  freeze(): void
  /** Let all pass again, as before `cut` or `freeze`. What froze goes on. */
  restore(): void
  /** Connections that are open now. */
  connections(): number
  close(): Promise<void>
}

export async function tcpProxy(options: { target: { host: string; port: number } }): Promise<TcpProxy> {
  const open = new Set<{ near: Socket; far: Socket }>()
  let state: 'open' | 'cut' | 'frozen' = 'open'
  const server = createServer({ noDelay: true }, (near) => {
    if (state === 'cut') {
      near.resetAndDestroy()
      return
    }
    const far = createConnection({ ...options.target, noDelay: true })
    const pair = { near, far }
    open.add(pair)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk) => {
        if (!to.write(chunk)) from.pause()
      })
      to.on('drain', () => {
        if (state !== 'frozen') from.resume()
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
    freeze() {
      state = 'frozen'
      for (const { near, far } of open) {
        near.pause()
        far.pause()
      }
    },
    restore() {
      state = 'open'
      for (const { near, far } of open) {
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
