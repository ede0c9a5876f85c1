// The shell loop in real pods, and what only real pods can show.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import { createShellTransport } from '../../src/adapters/kube/sync/shell-transport.js'
import { superviseCommand } from '../../src/adapters/kube/sync/supervisor.js'
import type { SyncOp, TargetRef } from '../../src/ports/sync-transport.js'
import { limitedUser, testConnection, testNamespace, testRegistry, type TestNamespace } from '../support/cluster.js'
import { waitFor } from '../support/wait-for.js'
import { startPods, type SyncPods } from './sync-pods.js'
import { fileEntry, fileOp } from './sync-samples.js'
import { runUserSuite } from './sync-run-user.js'
import { silenceSuite } from './sync-silence.js'
import { syncTransportSuite, type SyncFixture } from './sync-transport.js'

const never = new AbortController().signal
let connection: KubeConnection
let namespace: TestNamespace
let pods: SyncPods<Pod>
type Pod = 'busybox' | 'node' | 'static' | 'supervised' | 'shared' | 'nonroot' | 'readonly'

const target = (pod: Pod): TargetRef => ({ containerId: pod, namespace: namespace.name, pod, container: 'main' })

beforeAll(async () => {
  connection = await testConnection()
  namespace = await testNamespace('devloop-sync')
  const registry = await testRegistry()
  const busybox = `${registry}/testbed/busybox:1`
  const sleep = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1; done']
  // a pod's command has its dollars doubled
  const server = (said: string): string[] => ['sh', '-c', `echo ${said} $$$$; sleep 100000 & trap 'kill $!; exit 0' TERM; wait`]
  const supervised = superviseCommand(server('started')).command
  const bare = { runAsUser: 1234, runAsGroup: 1234, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
  pods = await startPods<Pod>(connection, namespace.name, {
    busybox: { image: busybox, command: sleep },
    node: { image: `${registry}/testbed/node:20`, command: sleep },
    // an image with nothing in it: what it runs comes by a volume
    static: {
      image: `${registry}/testbed/static:1`,
      command: ['/tools/busybox', 'sleep', '100000'],
      container: { volumeMounts: [{ name: 'tools', mountPath: '/tools' }] },
      spec: {
        volumes: [{ name: 'tools', emptyDir: {} }],
        initContainers: [
          {
            name: 'copy',
            image: busybox,
            command: ['cp', '/bin/busybox', '/tools/busybox'],
            volumeMounts: [{ name: 'tools', mountPath: '/tools' }],
          },
        ],
      },
    },
    supervised: { image: busybox, command: supervised },
    shared: { image: busybox, command: supervised, spec: { shareProcessNamespace: true }, container: { securityContext: bare } },
    nonroot: { image: busybox, command: supervised, container: { securityContext: { ...bare, readOnlyRootFilesystem: true } } },
    readonly: {
      image: busybox,
      command: sleep,
      container: {
        securityContext: { readOnlyRootFilesystem: true },
        volumeMounts: [{ name: 'small', mountPath: '/small' }],
      },
      spec: { volumes: [{ name: 'small', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }] },
    },
  })
}, 120_000)

afterAll(async () => {
  await namespace?.remove()
  connection?.close()
})

for (const pod of ['busybox', 'node'] as const)
  syncTransportSuite({ name: `shell loop in a pod (${pod})`, open: () => podFixture(pod) })

const openIn = (pod: Pod) => () => createShellTransport(connection).open(target(pod), ['/tmp'], never)
runUserSuite({ name: 'the shell loop', open: { root: openIn('busybox'), nonroot: openIn('nonroot') } })

const podFixture = (pod: Pod): Promise<SyncFixture> =>
  pods.fixture(target(pod), (through, root) => createShellTransport(through).open(target(pod), [root], never))
const inPod = (pod: Pod, script: string): Promise<Buffer> => pods.script(target(pod), script)

describe('the shell loop in a pod', () => {
  it('names the container that has no shell', async () => {
    const failure: unknown = await createShellTransport(connection)
      .open(target('static'), ['/tmp'], never)
      .catch((thrown: unknown) => thrown)
    expect(failure).toMatchObject({ code: 'sync/no-shell' })
  })

  it('says that a pod is gone', async () => {
    const opening = createShellTransport(connection).open({ ...target('node'), pod: 'no-such-pod' }, ['/tmp'], never)
    await expect(opening).rejects.toMatchObject({ code: 'sync/disconnected' })
  })

  it('says which right is missing', async () => {
    const user = await limitedUser(namespace.name, [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }])
    const limited = await testConnection(user.file)
    const opening = createShellTransport(limited).open(target('node'), ['/tmp'], never)
    await expect(opening).rejects.toMatchObject({
      code: 'cluster/forbidden',
      message: expect.stringContaining('pods/exec') as string,
    })
    limited.close()
    await user.remove()
  })

  it('tells a full disk, a read-only root and missing rights apart, leaves nothing behind and goes on', async () => {
    const session = await createShellTransport(connection).open(target('readonly'), ['/small', '/etc/app', '/app.json'], never)
    const small = (name: string, size: number): SyncOp => fileOp(`/small/${name}`, randomBytes(size))
    const failed = async (ops: readonly SyncOp[]): Promise<unknown> =>
      session.apply(ops, never).catch((thrown: unknown) => thrown)
    await session.apply([small('kept', 900_000)], never)
    const full = { code: 'sync/disk-full', message: expect.stringMatching(/\/small.*user 0/) as string }
    expect(await failed([small('middle', 300_000)])).toMatchObject(full)
    expect(await failed([small('large', 6_000_000)])).toMatchObject(full)
    expect(await failed(Array.from({ length: 100 }, (_, number) => small(`many${number}`, 5000)))).toMatchObject(full)
    const rest = 1024 * 1024 - 900_000 - 4096
    expect(await failed(Array.from({ length: 60 }, (_, number) => small(`tiny${number}`, 900 + rest / 60)))).toMatchObject(full)
    await inPod(
      'readonly',
      'while echo x >> /small/filler-x; do :; done 2>/dev/null; head -c 200000 /dev/zero > /small/filler || :',
    )
    expect(await failed([fileOp('/small/little', 'x'.repeat(1000))])).toMatchObject(full)
    await inPod('readonly', 'rm /small/filler*')
    const readOnly = { code: 'sync/read-only', message: expect.stringMatching(/(\/etc\/app|\/app\.json).*user 0/) as string }
    expect(await failed([fileOp('/etc/app/a', 'x')])).toMatchObject(readOnly)
    expect(await failed([fileOp('/app.json', 'x'.repeat(100_000))])).toMatchObject(readOnly)
    expect(await failed([fileOp('/etc/app/a', 'x'), fileOp('/etc/app/b', 'x'.repeat(20_000))])).toMatchObject(readOnly)
    expect(await failed([{ op: 'link', path: '/etc/app/l', target: 'x' }])).toMatchObject(readOnly)
    await session.apply([{ op: 'delete', path: '/small/kept' }, fileOp('/small/after', 'fine')], never)
    expect((await inPod('readonly', 'ls -A /small')).toString()).toBe('after\n')
    await session.close()
  })

  it('says which user may not write where', async () => {
    const session = await createShellTransport(connection).open(target('shared'), ['/var/app'], never)
    const denied = { code: 'sync/permission', message: expect.stringMatching(/user 1234 .*\/var\/app/i) as string }
    await expect(session.apply([fileOp('/var/app/x', 'x')], never)).rejects.toMatchObject(denied)
    await expect(session.apply([fileOp('/var/app/x', 'x'.repeat(5000)), fileOp('/var/app/y', 'y')], never)).rejects.toMatchObject(
      denied,
    )
    await session.close()
  })

  it.each(['supervised', 'shared', 'nonroot'] as const)('restarts the main process in place: %s', async (pod) => {
    const session = await createShellTransport(connection).open(target(pod), ['/tmp'], never)
    const before = await pods.startedLines(pod, 1)
    for (let count = 2; count <= 4; count++) {
      await session.restart(never)
      await pods.startedLines(pod, count)
    }
    const after = await pods.startedLines(pod, 4)
    expect(new Set(after).size).toBe(4)
    expect(after[0]).toBe(before[0])
    // what the old ones had started is gone with them, and the loop itself is not
    expect(
      (
        await inPod(
          pod,
          'for f in /proc/[0-9]*/cmdline; do tr "\\0" " " < "$f" 2>/dev/null; echo; done | grep -c "^sleep 10000[0]"',
        )
      ).toString(),
    ).toBe('1\n')
    expect(await pods.restartCount(pod)).toBe(0)
    await session.close()
  })

  it('says so when nothing can be restarted', async () => {
    const session = await createShellTransport(connection).open(target('node'), ['/tmp'], never)
    await expect(session.restart(never)).rejects.toMatchObject({ code: 'restart/unsupported' })
    await session.close()
  })

  silenceSuite((through) => createShellTransport(through).open(target('node'), ['/tmp'], never))

  it('ends its shell when it is closed or lost', async () => {
    const session = await createShellTransport(connection).open(target('node'), ['/tmp/shells'], never)
    await session.apply([fileOp('/tmp/shells/x', 'x')], never)
    expect(await session.inspect(['/tmp/shells/x'], never)).toEqual(new Map([['/tmp/shells/x', fileEntry('x')]]))
    await session.close()
    await waitFor(async () => (await inPod('node', 'ps | grep -c "devloop shell loo[p]" || :')).toString().trim() === '0', {
      what: 'the shell to end',
    })
  })
})
