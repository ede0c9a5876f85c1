// An API server with as much of namespaces, rights, tenants and projects as a developer's namespace is found by.
import type { IncomingMessage } from 'node:http'
import type { KubeConnection } from '../../../../../src/adapters/kube/connection.js'
import { fakeApiServer, json } from '../fake-api-server.js'

interface Metadata {
  name: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  deletionTimestamp?: string
}

export interface FakeCluster {
  /** Of the user `ann@aurora.org`, with nobody naming a namespace. */
  readonly connection: KubeConnection
  /** Everything but reviews, with the names of what was posted. */
  readonly asked: string[]
  /** What was posted, without reviews. */
  readonly posted: { path: string; body: { kind: string; metadata: Metadata } }[]
  /** A namespace is gone. */
  gone(namespace: string): void
  close(): Promise<void>
}

export interface ClusterRules {
  /** Namespaces that there are. */
  namespaces?: Record<string, Omit<Metadata, 'name'>>
  /** Whether the user has rights in a namespace; default: in none. Asked anew each time. */
  rightsIn?: (namespace: string) => boolean
  /** Whether namespaces may be read, made, listed. */
  reads?: boolean
  makes?: boolean
  lists?: boolean
  groups?: string[]
  /** By name: status; `hidden` = none may be read. */
  tenants?: Record<string, { spec?: object; status?: object }> | 'hidden'
  projects?: Metadata[]
  /** What the server says to a POST, before anything else. */
  refuses?: (body: { metadata: Metadata }) => string | undefined
  user?: string | null
}

const refusal = (code: number, reason: string, message: string, details = {}) => ({
  kind: 'Status',
  code,
  reason,
  message,
  details,
})

export async function fakeCluster(rules: ClusterRules): Promise<FakeCluster> {
  const namespaces = new Map(Object.entries(rules.namespaces ?? {}))
  const asked: string[] = []
  const posted: FakeCluster['posted'] = []
  const user = rules.user === undefined ? 'ann@aurora.org' : rules.user
  const server = await fakeApiServer((request, response, url) => {
    void read(request).then((body) => {
      const { pathname: path } = url
      const method = request.method ?? ''
      const forbidden = (verb: string, resource: string): void =>
        json(
          response,
          refusal(403, 'Forbidden', `${resource} is forbidden: User "${user}" cannot ${verb} resource "${resource}"`),
          403,
        )
      const missing = (): void => json(response, refusal(404, 'NotFound', 'not found'), 404)
      if (path.endsWith('/selfsubjectreviews'))
        return user === null ? missing() : json(response, { status: { userInfo: { username: user, groups: ['devs'] } } })
      if (path.endsWith('/selfsubjectaccessreviews')) {
        const { namespace } = body.spec.resourceAttributes as { namespace: string }
        return json(response, { status: { allowed: rules.rightsIn?.(namespace) ?? false } })
      }
      const name = method === 'POST' ? ` ${body.metadata.name}` : ''
      asked.push(`${method} ${path}${url.search && method === 'GET' ? url.search : ''}${name}`)
      if (path === '/apis') {
        const versions = [{ version: 'v1beta3' }, { version: 'v1beta2' }]
        return json(response, {
          groups: (rules.groups ?? []).map((one) => ({ name: one, versions, preferredVersion: versions[0] })),
        })
      }
      const tenants = /\/v1beta3\/tenants(?:\/(.*))?$/.exec(path)
      if (tenants) {
        if (rules.tenants === 'hidden') return forbidden('get', 'tenants')
        const all = Object.entries(rules.tenants ?? {}).map(([key, value]) => ({ metadata: { name: key }, ...value }))
        if (!tenants[1]) return json(response, { items: all })
        const one = all.find(({ metadata }) => metadata.name === tenants[1])
        return one ? json(response, one) : missing()
      }
      if (method === 'POST') {
        posted.push({ path, body })
        const refused = rules.refuses?.(body)
        if (refused !== undefined) return json(response, refusal(403, 'Forbidden', refused), 403)
        if (!path.endsWith('/projectrequests') && !(rules.makes ?? false)) return forbidden('create', 'namespaces')
        const live = namespaces.get(body.metadata.name)
        if (live) {
          const message = `namespaces "${body.metadata.name}" already exists`
          const going = live.deletionTimestamp ? 'object is being deleted: ' : ''
          return json(response, refusal(409, 'AlreadyExists', `${going}${message}`), 409)
        }
        namespaces.set(body.metadata.name, body.metadata)
        return json(response, body, 201)
      }
      if (path.endsWith('/projects')) return json(response, { items: (rules.projects ?? []).map((metadata) => ({ metadata })) })
      if (path === '/api/v1/namespaces') {
        if (!(rules.lists ?? false)) return forbidden('list', 'namespaces')
        return json(response, { items: [...namespaces].map(([key, value]) => ({ metadata: { name: key, ...value } })) })
      }
      const one = path.split('/').at(-1) ?? ''
      if (!(rules.reads ?? false)) return forbidden('get', 'namespaces')
      const found = namespaces.get(one)
      return found ? json(response, { metadata: { ...found, name: one } }) : missing()
    })
  })
  return {
    connection: { ...server.connection, namespace: 'default', namespaceFrom: undefined },
    asked,
    posted,
    gone: (name) => void namespaces.delete(name),
    close: server.close,
  }
}

type Body = FakeCluster['posted'][number]['body'] & { spec: Record<string, unknown> }

async function read(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString() || '{}') as Body
}
