// An address that leads to another one, once. What stands on the command line of a program can be read by every user of the machine,
// so an address with a token in it must not stand there.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Once {
  /** Leads to the target the first time that it is asked for. */
  readonly address: string
  /** Whether that has happened, after it has or the time is over. */
  readonly used: Promise<boolean>
  close(): void
}

/** @param patienceMs how long a browser may take to start */
export async function leadOnce(target: string, patienceMs: number): Promise<Once> {
  const path = `/${randomBytes(24).toString('base64url')}`
  let settle: (used: boolean) => void = () => {}
  const used = new Promise<boolean>((resolve) => (settle = resolve))
  const server = createServer((request, response) => {
    const isIt = request.method === 'GET' && request.url === path && request.headers.host === host()
    const headers = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', connection: 'close' }
    response.writeHead(isIt ? 302 : 404, isIt ? { ...headers, location: target } : headers).end()
    if (isIt) response.on('close', () => close(true))
  })
  const host = (): string => `127.0.0.1:${(server.address() as AddressInfo).port}`
  const timer = setTimeout(() => close(false), patienceMs)
  const close = (isUsed: boolean): void => {
    clearTimeout(timer)
    server.close()
    settle(isUsed)
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return { address: `http://${host()}${path}`, used, close: () => close(false) }
}
