// What tests of failures on a cluster share: a project with a bystander, a Docker engine that comes and goes, a registry that refuses.
import { createServer as createHttpServer, type Server } from 'node:http'
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { ErrorInfo } from '../../src/errors/devloop-error.js'
import type { View } from '../../src/protocol/messages.js'
import type { Watching } from './devloop.js'
import { errorText } from './error-text.js'
import type { Loop, Names } from './loop.js'
import { waitFor } from './wait-for.js'

export interface Parts {
  /** Settings of `cluster` beside contexts and namespace. */
  readonly cluster?: string
  /** Live rules of the image `web`. */
  readonly live?: string
  /** More settings of the app `web`. */
  readonly web?: string
  /** Instead of the app `web`. */
  readonly instead?: string
  /** Contexts that are allowed, as an expression. */
  readonly contexts?: string
}

/** A Devloopfile of the app `web`, of `other`, which needs no build, and of `here`, which needs no cluster. */
export const withBystanders =
  (parts: Parts = {}) =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { app, defineDevloop, image, local, manifests, rebuildOn, restart, run, sync } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: ${parts.live ?? "[sync('src', '/app/src'), restart({ on: 'src/**' })]"} })
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ${parts.contexts ?? "['*']"}, namespace: '${namespace}', ${parts.cluster ?? ''} },
  resources: [
    ${parts.instead ?? `app('web', { image: web, ports: { http: 8080 }, forward: { http: ${port} }, ${parts.web ?? ''} })`},
    app('other', { image: '${base}', command: ['sleep', '3600'] }),
    local('here', { serve: 'sleep 3600' }),
  ],
}))
`

/** All errors that the status tells, each once. */
export function errorsOf(watching: Watching): ErrorInfo[] {
  const found = [...watching.client.views().values()].flatMap(errorsIn)
  return found.filter(
    (one, index) => found.findIndex((other) => other.code === one.code && other.message === one.message) === index,
  )
}

function errorsIn(view: View): ErrorInfo[] {
  const errors = ((): (ErrorInfo | undefined)[] => {
    if (view.kind === 'session') return [view.runtime.error, view.devloopfile.error, ...view.problems]
    if (view.kind === 'image') return [view.error]
    if (view.kind === 'change') return []
    const targets = view.pods.flatMap((pod) => pod.targets)
    return [view.error, ...view.warnings, ...view.endpoints.map((one) => one.error), ...targets.map((one) => one.error)]
  })()
  return errors.filter((error) => error !== undefined)
}

/** Wait until the status tells an error, and give the text of all that it tells: there should be one. */
export async function toldError(watching: Watching, code: string, masks: Readonly<Record<string, string>> = {}): Promise<string> {
  await waitFor(() => errorsOf(watching).some((one) => one.code === code), { what: code, timeoutMs: 60_000 }).catch(
    (thrown: unknown) => {
      throw new Error(
        `${String(thrown)}\n${JSON.stringify([...watching.client.views().values()], undefined, 1)}\n${watching.output()}`,
      )
    },
  )
  return errorsOf(watching)
    .map((error) => errorText(error, masks))
    .join('\n\n')
}

/** Names of a project, of pods of its app `web`, and of the cluster's own, that differ from run to run. */
export const masked = (text: string, one: Loop): string =>
  text
    .replaceAll(one.namespace, 'NAMESPACE')
    .replaceAll(one.name, 'PROJECT')
    .replaceAll(`${one.folder}/`, '')
    .replaceAll(`context "${one.connection.context}"`, 'context "CONTEXT"')
    .replaceAll(/\bweb-[0-9a-z]+-[0-9a-z]{5}\b/g, 'POD')
    .replaceAll(/line \d+/g, 'line N')
    .replaceAll(/"[0-9a-f]{64}"/g, '"ID"')

/** The Docker engine of this machine, at an address of its own where it comes and goes. Away at first. */
export interface FakeEngine {
  /** For DOCKER_HOST. */
  readonly address: string
  appear(): Promise<void>
  vanish(): Promise<void>
}

export function comingEngine(folder: string): FakeEngine {
  const file = join(folder, 'engine.sock')
  const sockets = new Set<Socket>()
  let server: ReturnType<typeof createServer> | undefined
  const connect = (): Socket => {
    const { DOCKER_HOST: host = 'unix:///var/run/docker.sock' } = process.env
    const url = new URL(host)
    return url.protocol === 'unix:' ? createConnection(url.pathname) : createConnection(Number(url.port), url.hostname)
  }
  const engine: FakeEngine = {
    address: `unix://${file}`,
    async appear() {
      server = createServer({ allowHalfOpen: true }, (near) => {
        const far = connect()
        for (const [from, to] of [
          [near, far],
          [far, near],
        ] as const) {
          sockets.add(from)
          from.on('close', () => (sockets.delete(from), to.destroy()))
          from.on('error', () => to.destroy())
          from.pipe(to)
        }
      })
      await new Promise<void>((resolve) => server?.listen(file, resolve))
    },
    async vanish() {
      const closed = new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
      server = undefined
      await rm(file, { force: true })
    },
  }
  onTestFinished(() => engine.vanish())
  return engine
}

/**
 * A registry on this machine that lets nothing be pushed.
 * @param refuses everything without a login (401), starting to push (403), or only what is pushed then
 */
export async function refusingRegistry(refuses: 401 | 403 | 'layers'): Promise<string> {
  const status = refuses === 'layers' ? 403 : refuses
  const server: Server = createHttpServer((request, response) => {
    // who may read and not write is told that what is to be pushed is not there
    if (refuses === 403 && request.method !== 'POST') return response.writeHead(request.url === '/v2/' ? 200 : 404).end()
    if (refuses === 'layers' && request.method === 'POST')
      return response.writeHead(202, { Location: `${request.url}taken`, 'Docker-Upload-UUID': 'taken', Range: '0-0' }).end()
    if (refuses === 'layers' && !['PUT', 'PATCH'].includes(request.method ?? ''))
      return response.writeHead(request.url === '/v2/' ? 200 : request.method === 'DELETE' ? 204 : 404).end()
    response.writeHead(status, {
      'Content-Type': 'application/json',
      'Docker-Distribution-Api-Version': 'registry/2.0',
      ...(status === 401 ? { 'WWW-Authenticate': 'Basic realm="test"' } : {}),
    })
    const [code, message] =
      status === 401 ? ['UNAUTHORIZED', 'authentication required'] : ['DENIED', 'requested access to the resource is denied']
    response.end(JSON.stringify({ errors: [{ code, message }] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}
