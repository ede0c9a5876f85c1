// A proxy before the API server that sees the requests: plain HTTP to whoever asks, a kubeconfig's own credentials to the server.
import http from 'node:http'
import https, { type RequestOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { testConnection, testKubeconfig, type TestKubeconfig } from './cluster.js'

export interface ApiProxy {
  /** A kubeconfig that leads through it. */
  readonly kubeconfig: TestKubeconfig
  /** Watches by path: how many were begun, and how many were open at once at most. */
  readonly watches: ReadonlyMap<string, { readonly begun: number; readonly most: number }>
  /** `METHOD path` of each request, in the order in which they came. */
  readonly requests: readonly string[]
  close(): Promise<void>
}

/**
 * Upgraded connections (exec, port-forward) are not passed on.
 * @param as kubeconfig whose user asks; undefined = that of KUBECONFIG
 * @param ahead how far the clock of its answers is ahead of the API server's, in milliseconds
 */
export async function apiProxy(as?: string, { ahead = 0 }: { readonly ahead?: number } = {}): Promise<ApiProxy> {
  const connection = await testConnection(as)
  const options: RequestOptions = {}
  await connection.config.applyToHTTPSOptions(options)
  const target = new URL(connection.server)
  connection.close()
  const watches = new Map<string, { begun: number; most: number; open: number }>()

  const requests: string[] = []

  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '', target)
    requests.push(`${request.method} ${url.pathname}`)
    const isWatch = /^(1|true)$/.test(url.searchParams.get('watch') ?? '')
    const count = watches.get(url.pathname) ?? { begun: 0, most: 0, open: 0 }
    if (isWatch) {
      watches.set(url.pathname, count)
      count.begun++
      count.most = Math.max(count.most, ++count.open)
    }
    const { authorization: _, host: _host, ...headers } = request.headers
    const asked = https.request(
      { ...options, host: target.hostname, port: target.port || 443, method: request.method, path: request.url, headers },
      (answer) => {
        const date = new Date(Date.parse(answer.headers.date ?? '') + ahead).toUTCString()
        response.writeHead(answer.statusCode ?? 500, ahead === 0 ? answer.headers : { ...answer.headers, date })
        response.flushHeaders()
        answer.pipe(response)
      },
    )
    asked.on('error', () => response.destroy())
    response.on('close', () => {
      if (isWatch) count.open--
      asked.destroy()
    })
    request.pipe(asked)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const kubeconfig = await testKubeconfig({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  return {
    kubeconfig,
    watches,
    requests,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await kubeconfig.remove()
    },
  }
}
