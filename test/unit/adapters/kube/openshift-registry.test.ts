// OpenShift's registry by a server that answers as its API does, since no plain cluster has it.
import { afterEach, describe, expect, test } from 'vitest'
import { discoverRegistry } from '../../../../src/adapters/kube/discovery.js'
import { openshiftLogin } from '../../../../src/adapters/kube/openshift-registry.js'
import { namesIn } from '../../../../src/model/image-names.js'
import type { Registry } from '../../../../src/ports/image-builder.js'
import { fakeApiServer, type FakeApiServer } from './fake-api-server.js'

const signal = new AbortController().signal
const images = '/apis/image.openshift.io/v1'
const announcement = '/api/v1/namespaces/kube-public/configmaps/local-registry-hosting'
const route = '/apis/route.openshift.io/v1/namespaces/openshift-image-registry/routes/default-route'
const internal = 'image-registry.openshift-image-registry.svc:5000'
const host = 'default-route-openshift-image-registry.apps.test'
const stream = (namespace: string, isPublic: boolean) => ({
  items: [
    {
      status: {
        dockerImageRepository: `${internal}/${namespace}/x`,
        ...(isPublic ? { publicDockerImageRepository: `${host}/${namespace}/x` } : {}),
      },
    },
  ],
})

let server: FakeApiServer
afterEach(() => server.close())

/** @param found by path; a number is a refusal with that code */
async function cluster(found: Readonly<Record<string, unknown>>, user?: object): Promise<FakeApiServer> {
  server = await fakeApiServer((_request, response, { pathname }) => {
    const body = found[pathname] ?? 404
    const code = typeof body === 'number' ? body : 200
    response.writeHead(code, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(code === 200 ? body : { kind: 'Status', code, message: 'no' }))
  }, user)
  return server
}

describe('where it is', () => {
  test('of the streams of the namespace', async () => {
    const { connection } = await cluster({ [images]: {}, [`${images}/namespaces/dev/imagestreams`]: stream('dev', true) })
    const { registry, openshift } = await discoverRegistry(connection, undefined, signal)
    expect(registry).toEqual({ push: `${host}/dev`, pull: `${internal}/dev` })
    expect(openshift).toEqual({ host, internal })
    // the path is the namespace and one name, whatever the image is called
    const { push, pull } = namesIn(registry as Registry, 'shop/api', 'devloop-1')
    expect([push.repository, pull.repository]).toEqual([`${host}/dev/shop_api`, `${internal}/dev/shop_api`])
  })

  test('of those that everybody sees, where the namespace has none yet', async () => {
    const { connection } = await cluster({
      [images]: {},
      [`${images}/namespaces/dev/imagestreams`]: { items: [] },
      [`${images}/namespaces/openshift/imagestreams`]: stream('openshift', true),
    })
    expect((await discoverRegistry(connection, undefined, signal)).registry?.push).toBe(`${host}/dev`)
  })

  test('of its Route, where no stream says it', async () => {
    const { connection } = await cluster({
      [images]: {},
      [`${images}/namespaces/dev/imagestreams`]: 403,
      [`${images}/namespaces/openshift/imagestreams`]: stream('openshift', false),
      [route]: { spec: { host }, status: {} },
    })
    expect((await discoverRegistry(connection, undefined, signal)).registry).toEqual({
      push: `${host}/dev`,
      pull: `${internal}/dev`,
    })
  })

  test('nowhere that an engine outside could reach: no registry, and it is known why', async () => {
    const { connection } = await cluster({ [images]: {} })
    expect(await discoverRegistry(connection, undefined, signal)).toEqual({
      registry: undefined,
      openshift: { host: undefined, internal },
    })
  })

  test('a cluster without ImageStreams is asked once', async () => {
    const { connection, requests } = await cluster({})
    expect(await discoverRegistry(connection, undefined, signal)).toEqual({ registry: undefined })
    expect(requests).toEqual([`GET ${announcement}`, `GET ${images}`])
  })
})

describe('what counts more', () => {
  const found = { [images]: {}, [`${images}/namespaces/dev/imagestreams`]: stream('dev', true) }

  test('an announced one', async () => {
    const data = { 'localRegistryHosting.v1': 'host: localhost:5000' }
    const { connection } = await cluster({ ...found, [announcement]: { data } })
    expect(await discoverRegistry(connection, undefined, signal)).toEqual({
      registry: { push: 'localhost:5000', pull: 'localhost:5000' },
    })
  })

  test('one that the Devloopfile names; of its own place the nodes’ name is known', async () => {
    const { connection } = await cluster(found)
    const named = (push: string) => discoverRegistry(connection, { push, fallback: false }, signal)
    expect((await named('ghcr.io/me')).registry).toEqual({ push: 'ghcr.io/me', pull: 'ghcr.io/me' })
    expect((await named(`${host}/dev`)).registry).toEqual({ push: `${host}/dev`, pull: `${internal}/dev` })
  })
})

describe('the login', () => {
  test('is the token of the kubeconfig, by a name without a colon', async () => {
    const { connection } = await cluster({}, { token: 'sha256~abc' })
    expect(await openshiftLogin(connection, host)).toEqual({ host, username: 'devloop', password: 'sha256~abc' })
  })

  test('there is none with a client certificate', async () => {
    const { connection } = await cluster({}, { username: 'ann', password: 'x' })
    await expect(openshiftLogin(connection, host)).rejects.toMatchObject({
      code: 'registry/auth',
      message: `There is no login for the cluster's registry ${host}.`,
      info: { why: expect.stringContaining('without one'), help: expect.stringContaining('oc login') },
    })
  })
})
