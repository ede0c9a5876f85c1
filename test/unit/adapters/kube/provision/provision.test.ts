import { afterEach, expect, test } from 'vitest'
import { provision, type ProvisionRequest } from '../../../../../src/adapters/kube/provision/provision.js'
import { defaultSandbox, tenantLabel } from '../../../../../src/model/sandbox.js'
import { fakeApiServer, json, type FakeApiServer } from '../fake-api-server.js'

let server: FakeApiServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const request: ProvisionRequest = {
  user: 'ann',
  groups: [],
  namespace: undefined,
  settings: defaultSandbox,
  tenant: { name: 'bluesky', label: tenantLabel },
  quota: undefined,
  account: false,
  now: 0,
}
const notFound = { kind: 'Status', code: 404, reason: 'NotFound', message: 'the server could not find the requested resource' }

test('a tenant without an operator is one error, and nothing is written', async () => {
  server = await fakeApiServer((_request, response) => json(response, notFound, 404))
  const bringing = { connection: server.connection, dryRun: false, signal: new AbortController().signal }
  await expect(provision(bringing, request, () => {})).rejects.toMatchObject({
    info: { code: 'provision/tenant', why: 'The cluster does not serve tenantoperator.stakater.com/v1beta3.' },
  })
  expect(server.requests).toEqual(['GET /apis/tenantoperator.stakater.com/v1beta3'])
})

test('a tenant that somebody changes at the same time is read again', async () => {
  const spec = { quota: 'small', accessControl: { editors: { users: ['bob'] } }, namespaces: { sandboxes: { enabled: true } } }
  let version = 1
  const patches: unknown[] = []
  server = await fakeApiServer((asked, response, url) => {
    const live = {
      kind: 'Tenant',
      metadata: { name: 'bluesky', resourceVersion: String(version) },
      spec,
      status: { deployedSandboxes: { ann: 'x' } },
    }
    if (asked.method === 'GET' && !url.pathname.endsWith('/bluesky')) return json(response, {})
    if (asked.method === 'GET') return json(response, live)
    let body = ''
    asked.on('data', (chunk: Buffer) => (body += chunk.toString()))
    asked.on('end', () => {
      patches.push(JSON.parse(body))
      if (version++ === 1) json(response, { kind: 'Status', code: 409, reason: 'Conflict', message: 'changed' }, 409)
      else json(response, { ...live, spec: { ...spec, accessControl: { editors: { users: ['bob', 'ann'] } } } })
    })
  })
  const bringing = { connection: server.connection, dryRun: false, signal: new AbortController().signal }
  expect(await provision(bringing, request, () => {})).toEqual({
    namespace: 'x',
    objects: [{ name: 'tenant/bluesky', outcome: 'changed' }],
  })
  expect(patches).toEqual(
    ['1', '2'].map((resourceVersion) => ({
      metadata: { resourceVersion },
      spec: { accessControl: { editors: { users: ['bob', 'ann'] } } },
    })),
  )
})

test('what is not said of the namespace any more goes, and what others put there stays', async () => {
  server = await fakeApiServer((asked, response, url) => {
    const name = url.pathname.split('/').at(-1)
    const theirs = url.pathname.includes('limitranges')
    const labels = theirs ? {} : { 'app.kubernetes.io/managed-by': 'devloop' }
    const kind = url.pathname.includes('resourcequotas') ? 'ResourceQuota' : 'Namespace'
    json(response, { kind, metadata: { name, uid: 'u', labels, annotations: { 'devloop.dev/owner-user': 'ann' } } })
  })
  const wanted = { ...request, tenant: undefined, namespace: 'shop-ann' }
  const run = (dryRun: boolean) => {
    const { connection } = server as FakeApiServer
    return provision({ connection, dryRun, signal: new AbortController().signal }, wanted, () => {})
  }
  const gone = { name: 'resourcequota/devloop', outcome: 'deleted' }
  expect((await run(true)).objects).toContainEqual(gone)
  expect(server.requests.filter((one) => one.startsWith('DELETE'))).toEqual([])
  expect((await run(false)).objects).toContainEqual(gone)
  expect(server.requests.filter((one) => one.startsWith('DELETE'))).toEqual([
    'DELETE /api/v1/namespaces/shop-ann/resourcequotas/devloop',
  ])
})
