// The connection to a real API server: requests, rights, discovery, logs, port-forward.
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import { dialPod } from '../../src/adapters/kube/dial.js'
import { discoverPlatform, discoverRegistry } from '../../src/adapters/kube/discovery.js'
import { statusOf } from '../../src/adapters/kube/errors.js'
import { followLogs } from '../../src/adapters/kube/logs.js'
import type { Pod } from '../../src/adapters/kube/observe-shapes.js'
import { replacePod } from '../../src/adapters/kube/replace-pod.js'
import type { LogLine } from '../../src/ports/runtime.js'
import type { TargetRef } from '../../src/ports/sync-transport.js'
import {
  limitedUser,
  proxiedCluster,
  testConnection,
  testImage,
  testKubeconfig,
  testNamespace,
  testRegistry,
  waitFor,
  type TestNamespace,
} from '../support/cluster.js'

let namespace: TestNamespace
let connection: KubeConnection
let image: string
const never = new AbortController().signal

beforeAll(async () => {
  namespace = await testNamespace()
  connection = await testConnection(undefined, { namespace: namespace.name })
  image = await testImage()
})
afterAll(async () => {
  connection.close()
  await namespace.remove()
})

const podPath = (name: string): string => `/api/v1/namespaces/${namespace.name}/pods/${name}`

async function startPod(name: string, command: string[]): Promise<TargetRef> {
  await connection.request('POST', `/api/v1/namespaces/${namespace.name}/pods`, {
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'main', image, imagePullPolicy: 'IfNotPresent', command }],
      },
    },
  })
  const containerId = await waitFor(
    async () => {
      const pod = (await connection.request('GET', podPath(name))) as Pod
      const status = pod.status?.containerStatuses?.[0]
      return status?.state?.running || status?.state?.terminated ? status.containerID : undefined
    },
    { what: `pod ${name} to run` },
  )
  return { namespace: namespace.name, pod: name, container: 'main', containerId }
}

describe('requests', () => {
  it('come back as JSON, and refusals as errors with their status', async () => {
    const found = (await connection.request('GET', `/api/v1/namespaces/${namespace.name}`)) as { metadata: { name: string } }
    expect(found.metadata.name).toBe(namespace.name)
    const missing = await connection
      .request('GET', podPath('nobody'), { what: 'look at pod nobody' })
      .catch((thrown: unknown) => thrown)
    expect(missing).toMatchObject({ code: 'cluster/error', message: 'Could not look at pod nobody (HTTP 404 NotFound).' })
    expect(statusOf(missing)).toMatchObject({ code: 404, reason: 'NotFound' })
    const invalid = await connection
      .request('POST', `/api/v1/namespaces/${namespace.name}/pods`, {
        body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: { containers: [{ name: 'UPPER', image: 'x' }] } },
      })
      .catch((thrown: unknown) => thrown)
    expect(invalid).toMatchObject({
      code: 'cluster/invalid',
      message: expect.stringContaining('spec.containers[0].name') as string,
    })
    expect(connection.latencyMs()).toBeGreaterThan(0)
  })

  it('keep one connection for one after the other', async () => {
    const { proxy, kubeconfig, close } = await proxiedCluster()
    const through = await testConnection(kubeconfig.file)
    for (let i = 0; i < 5; i++) await through.request('GET', '/version')
    expect(proxy.connections()).toBe(1)
    // A connection that was cut while it was idle is no error.
    proxy.drop()
    await waitFor(() => proxy.connections() === 0, { what: 'the cut' })
    await through.request('GET', '/version')
    proxy.cut()
    await waitFor(() => proxy.connections() === 0, { what: 'the cut' })
    const thrown = await through.request('GET', '/version', { what: 'ask for the version' }).catch((error: unknown) => error)
    expect(thrown).toMatchObject({
      code: 'cluster/unreachable',
      message: expect.stringContaining(`127.0.0.1:${proxy.port}`) as string,
    })
    proxy.restore()
    await through.request('GET', '/version')
    through.close()
    await waitFor(() => proxy.connections() === 0, { what: 'idle connections to be closed' })
    await close()
  })

  it('can be aborted, before and while', async () => {
    const { proxy, kubeconfig, close } = await proxiedCluster()
    const through = await testConnection(kubeconfig.file)
    await through.request('GET', '/version')
    const controller = new AbortController()
    proxy.freeze()
    const waiting = through.request('GET', '/version', { signal: controller.signal })
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
    await expect(through.request('GET', '/version', { signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' })
    await expect(through.openWebSocket('/x', {}, ['v4.channel.k8s.io'], controller.signal)).rejects.toMatchObject({
      name: 'AbortError',
    })
    // And are given up by themselves when nothing comes.
    await expect(through.request('GET', '/version', { timeoutMs: 200 })).rejects.toMatchObject({ code: 'cluster/unreachable' })
    through.close()
    await close()
  })

  it('say which right a user lacks', async () => {
    const user = await limitedUser(namespace.name, [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }])
    const limited = await testConnection(user.file)
    expect(limited.namespace).toBe(namespace.name)
    await limited.request('GET', `/api/v1/namespaces/${namespace.name}/pods`)
    const thrown = await limited
      .request('POST', `/apis/apps/v1/namespaces/${namespace.name}/deployments`, {
        body: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' } },
      })
      .catch((error: unknown) => error)
    expect(thrown).toMatchObject({
      code: 'cluster/forbidden',
      message: `You may not create deployments.apps in namespace "${namespace.name}".`,
      info: { help: expect.stringContaining(`create deployments.apps in namespace "${namespace.name}"`) as string },
    })
    // What may not be asked is taken as not announced.
    expect(await discoverPlatform(limited, never)).toBeUndefined()
    limited.close()
    await user.remove()
  })

  it('stay on the cluster that was current at the start', async () => {
    const { file, remove } = await testKubeconfig({ namespace: namespace.name })
    const bound = await testConnection(file)
    const { writeFile } = await import('node:fs/promises')
    await writeFile(
      file,
      'current-context: elsewhere\ncontexts: [{name: elsewhere, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: "https://203.0.113.1"}}]\n',
    )
    const found = (await bound.request('GET', `/api/v1/namespaces/${namespace.name}`)) as { metadata: { name: string } }
    expect(found.metadata.name).toBe(namespace.name)
    await expect(testConnection(file, { cluster: { contexts: ['test*'] } })).rejects.toMatchObject({
      code: 'cluster/not-allowed',
    })
    bound.close()
    await remove()
  })
})

describe('discovery', () => {
  it('finds the announced registry and the platform of the nodes', async () => {
    const host = await testRegistry()
    const found = async (push?: string) =>
      (await discoverRegistry(connection, push === undefined ? undefined : { push, fallback: false }, never)).registry
    expect(await found()).toMatchObject({ push: host })
    expect(await found(`${host}/team`)).toMatchObject({ push: `${host}/team` })
    expect(await found('registry.example/x')).toEqual({ push: 'registry.example/x', pull: 'registry.example/x' })
    expect(await discoverPlatform(connection, never)).toMatch(/^linux\/\w+$/)
  })
})

describe('logs', () => {
  it('are followed through cuts, each line once, until the container ends', async () => {
    const { proxy, kubeconfig, close } = await proxiedCluster()
    const through = await testConnection(kubeconfig.file)
    const script = 'i=0; while [ $i -lt 400 ]; do echo "line $i"; i=$((i+1)); [ $((i % 20)) = 0 ] && sleep 0.1; done; exit 3'
    const target = await startPod('talker', ['sh', '-c', script])
    const lines: LogLine[] = []
    const followed = followLogs(through, { target, since: 0 }, (line) => lines.push(line), never)
    for (const upTo of [40, 120, 200]) {
      await waitFor(() => lines.length >= upTo, { what: `${upTo} lines`, everyMs: 2 })
      proxy.cut()
      await waitFor(() => proxy.connections() === 0, { what: 'the cut' })
      proxy.restore()
    }
    await followed
    expect(lines.map(({ text }) => text)).toEqual(Array.from({ length: 400 }, (_, index) => `line ${index}`))
    expect(lines.every(({ at }) => Math.abs(at - Date.now()) < 600_000)).toBe(true)
    // A later start leaves out what was before.
    const since = (lines[300]?.at ?? 0) + 1
    const later: LogLine[] = []
    await followLogs(connection, { target, since }, (line) => later.push(line), never)
    expect(later.at(-1)?.text).toBe('line 399')
    expect(later.every(({ at }) => at >= since)).toBe(true)
    through.close()
    await close()
  })

  it('end with the signal, and with the pod', async () => {
    const target = await startPod('quiet', ['sleep', '3600'])
    const controller = new AbortController()
    const followed = followLogs(connection, { target, since: 0 }, () => undefined, controller.signal)
    controller.abort()
    await expect(followed).resolves.toBeUndefined()
    const second = followLogs(connection, { target, since: 0 }, () => undefined, never)
    await connection.request('DELETE', podPath('quiet'), { query: { gracePeriodSeconds: 0 } })
    await expect(second).resolves.toBeUndefined()
  })
})

describe('dial', () => {
  const server = `require('net').createServer({allowHalfOpen:true}, s => { s.on('data', d => s.write(d)); s.on('end', () => s.end('bye')) }).listen(7000);
    require('net').createServer(s => { let n = 0; s.on('error', () => {}); s.on('data', d => { n += d.length; if (n >= 20e6) s.end(String(n)) }) }).listen(7001);
    require('net').createServer(s => { s.on('error', () => {}); const b = Buffer.alloc(1e6, 'x'); let i = 0; const go = () => { while (i < 30) { i++; if (!s.write(b)) return s.once('drain', go) } s.end() }; go() }).listen(7002, () => console.log('up'))`

  it('carries bytes both ways, however many, and ends with either side', async () => {
    const target = await startPod('server', ['node', '-e', server])
    const logged: string[] = []
    const stop = new AbortController()
    const logs = followLogs(connection, { target, since: 0 }, (line) => logged.push(line.text), stop.signal)
    await waitFor(() => logged.includes('up'), { what: 'the server' })
    stop.abort()
    await logs
    const pod = { namespace: namespace.name, name: 'server' }

    const echo = await dialPod(connection, pod, 7000, never)
    echo.write('hello')
    let back = ''
    echo.on('data', (chunk: Buffer) => (back += chunk.toString()))
    await waitFor(() => back === 'hello', { what: 'the echo' })
    echo.destroy()

    const up = await dialPod(connection, pod, 7001, never)
    let counted = ''
    up.on('data', (chunk: Buffer) => (counted += chunk.toString()))
    const block = Buffer.alloc(1_000_000, 1)
    let waits = 0
    for (let i = 0; i < 20; i++) {
      if (!up.write(block)) {
        waits++
        await new Promise((resolve) => up.once('drain', resolve))
      }
    }
    await new Promise((resolve) => up.once('end', resolve))
    expect(counted).toBe('20000000')
    expect(waits).toBeGreaterThan(0)

    const down = await dialPod(connection, pod, 7002, never)
    let received = 0
    // A reader that stands still must stop the sender, not fill the memory.
    await waitFor(() => down.readableLength >= down.readableHighWaterMark, { what: 'the first bytes' })
    let most = 0
    for (let i = 0; i < 25; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      most = Math.max(most, down.readableLength)
    }
    expect(most).toBeLessThan(4_000_000)
    for await (const chunk of down as AsyncIterable<Buffer>) received += chunk.length
    expect(received).toBe(30_000_000)
  })

  it('says that nothing listens, or that there is no such pod', async () => {
    const pod = { namespace: namespace.name, name: 'server' }
    const stream = await dialPod(connection, pod, 7999, never)
    stream.write('x')
    const error = await new Promise((resolve) => stream.once('error', resolve))
    expect(error).toMatchObject({
      code: 'forward/refused',
      message: `Nothing listens on port 7999 of pod server in ${namespace.name}.`,
    })
    await expect(dialPod(connection, { ...pod, name: 'nobody' }, 80, never)).rejects.toMatchObject({ code: 'forward/failed' })
  })

  it('is cut with the connection to the cluster', async () => {
    const { proxy, kubeconfig, close } = await proxiedCluster()
    const through = await testConnection(kubeconfig.file)
    const stream = await dialPod(through, { namespace: namespace.name, name: 'server' }, 7000, never)
    stream.resume()
    stream.on('error', () => undefined)
    const closed = new Promise((resolve) => stream.once('close', resolve))
    proxy.cut()
    await closed
    expect(stream.destroyed).toBe(true)
    through.close()
    await close()
  })
})

describe('replacePod', () => {
  it('deletes a pod that a controller replaces, and no other', async () => {
    await expect(replacePod(connection, { namespace: namespace.name, name: 'server' }, never)).rejects.toMatchObject({
      code: 'cluster/error',
      message: expect.stringContaining('has no controller') as string,
    })
    await replacePod(connection, { namespace: namespace.name, name: 'nobody' }, never)
    const labels = { app: 'replaced' }
    await connection.request('POST', `/apis/apps/v1/namespaces/${namespace.name}/deployments`, {
      body: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'replaced' },
        spec: {
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              terminationGracePeriodSeconds: 0,
              containers: [{ name: 'main', image, imagePullPolicy: 'IfNotPresent', command: ['sleep', '3600'] }],
            },
          },
        },
      },
    })
    const pods = async (): Promise<string[]> => {
      const list = (await connection.request('GET', `/api/v1/namespaces/${namespace.name}/pods`, {
        query: { labelSelector: 'app=replaced' },
      })) as { items: Pod[] }
      return list.items.filter((pod) => pod.metadata.deletionTimestamp === undefined).map((pod) => pod.metadata.name)
    }
    const [first = ''] = await waitFor(async () => ((await pods()).length > 0 ? pods() : undefined), { what: 'the first pod' })
    await replacePod(connection, { namespace: namespace.name, name: first }, never)
    await waitFor(async () => (await pods()).some((name) => name !== first), { what: 'its successor' })
  })
})

describe('an API server that is not one', () => {
  it('is reported with what it said', async () => {
    const server = createServer((_request, response) => response.writeHead(502).end('<html><body>Bad gateway</body></html>'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const { file, remove } = await testKubeconfig({ server: `http://127.0.0.1:${port}` })
    const through = await testConnection(file)
    await expect(through.request('GET', '/version', { what: 'ask for the version' })).rejects.toMatchObject({
      code: 'cluster/error',
      message: 'Could not ask for the version (HTTP 502).',
    })
    through.close()
    server.close()
    await remove()
  })
})
