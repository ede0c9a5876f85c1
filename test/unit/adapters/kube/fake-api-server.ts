// An HTTP server that answers as the test says, and a connection to it, for what a real API server cannot be made to do.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { connectKube, type KubeConnection } from '../../../../src/adapters/kube/connection.js'

export interface FakeApiServer {
  readonly connection: KubeConnection
  /** `METHOD path?query` of every request so far. */
  readonly requests: string[]
  close(): Promise<void>
}

export type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => void

/** @param user the user entry of the kubeconfig */
export async function fakeApiServer(answer: Answer, user: object = { token: 'secret' }): Promise<FakeApiServer> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    answer(request, response, new URL(request.url ?? '/', 'http://x'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const folder = await mkdtemp(path.join(tmpdir(), 'devloop-unit-'))
  const file = path.join(folder, 'config')
  await writeFile(
    file,
    JSON.stringify({
      'current-context': 'fake',
      contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake', namespace: 'dev' } }],
      clusters: [{ name: 'fake', cluster: { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } }],
      users: [{ name: 'fake', user }],
    }),
  )
  const before = process.env.KUBECONFIG
  process.env.KUBECONFIG = file
  const options = { project: 'p', instance: 'i', cluster: { contexts: ['fake'] }, stateDir: folder }
  const connection = await connectKube(options, new AbortController().signal).finally(() => {
    if (before === undefined) delete process.env.KUBECONFIG
    else process.env.KUBECONFIG = before
  })
  return {
    connection,
    requests,
    async close() {
      connection.close()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await rm(folder, { recursive: true })
    },
  }
}

export function json(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}
