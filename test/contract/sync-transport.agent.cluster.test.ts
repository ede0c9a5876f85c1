// The agent in real containers, and what only they can show. How it gets there is not the matter here: it is copied into a volume.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import { openAgentSession } from '../../src/adapters/kube/sync/agent/agent-session.js'
import { openExec } from '../../src/adapters/kube/sync/exec.js'
import { createShellTransport } from '../../src/adapters/kube/sync/shell-transport.js'
import type { SyncOp, SyncSession, TargetRef } from '../../src/ports/sync-transport.js'
import { builtAgent } from '../support/agent.js'
import { testConnection, testNamespace, testRegistry, type TestNamespace } from '../support/cluster.js'
import { waitFor } from '../support/wait-for.js'
import { syncBothWaysSuite } from './sync-both-ways.js'
import { syncListSuite } from './sync-list.js'
import { startPods, type SyncPod, type SyncPods } from './sync-pods.js'
import { fileEntry, fileOp } from './sync-samples.js'
import { runUserSuite } from './sync-run-user.js'
import { silenceSuite } from './sync-silence.js'
import { syncTransportSuite, type SyncFixture } from './sync-transport.js'

const never = new AbortController().signal
const agentPath = '/.devloop/agent'
// the cluster tests are nothing without it: what is missing fails them
const { agent, missing } = builtAgent()

type Pod = 'busybox' | 'node' | 'static' | 'supervised' | 'shared' | 'nonroot' | 'twins' | 'readonly'
let connection: KubeConnection
let namespace: TestNamespace
let pods: SyncPods<Pod>

const target = (pod: Pod, container = 'main'): TargetRef => ({
  containerId: `${pod}/${container}`,
  namespace: namespace.name,
  pod,
  container,
})

const open = (
  pod: Pod,
  roots: readonly string[],
  { container = 'main', through = connection }: { container?: string; through?: KubeConnection } = {},
): Promise<SyncSession> => {
  const to = target(pod, container)
  const exec = (argv: readonly string[], options: { stdin: boolean; signal: AbortSignal }) => openExec(through, to, argv, options)
  return openAgentSession({ exec, roots, name: `container ${container} of pod ${pod}`, agentPath, version: agent.version }, never)
}

beforeAll(async () => {
  if (missing) throw new Error(missing)
  connection = await testConnection()
  namespace = await testNamespace('devloop-agent')
  const registry = await testRegistry()
  const busybox = `${registry}/testbed/busybox:1`
  const mount = { name: 'devloop-agent', mountPath: '/.devloop' }
  const mounted = { volumeMounts: [{ ...mount, readOnly: true }] }
  const spec = {
    volumes: [{ name: 'devloop-agent', emptyDir: {} }],
    initContainers: [
      {
        name: 'wait',
        image: busybox,
        command: ['sh', '-c', `until [ -x ${agentPath} ]; do sleep 0.1; done; cp /bin/busybox /.devloop/busybox`],
        volumeMounts: [mount],
      },
    ],
  }
  const sleep = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1; done']
  const supervised = (shell: string): string[] => [
    agentPath,
    'run',
    '--',
    ...(shell === 'sh' ? [] : [shell]),
    'sh',
    '-c',
    // a pod's command has its dollars doubled; what outlives its parent must end too
    `echo started $$$$; (sleep 100000 &); sleep 100000 & trap 'exit 0' TERM; trap 'echo started nothing' USR1; while :; do wait; done`,
  ]
  const bare = { runAsUser: 1000650000, runAsGroup: 0, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
  const all: Record<Pod, SyncPod> = {
    busybox: { image: busybox, command: sleep, spec, container: mounted },
    node: { image: `${registry}/testbed/node:20`, command: sleep, spec, container: mounted },
    // an image with nothing in it
    static: { image: `${registry}/testbed/static:1`, command: supervised('/.devloop/busybox'), spec, container: mounted },
    supervised: { image: busybox, command: supervised('sh'), spec, container: mounted },
    shared: {
      image: busybox,
      command: supervised('sh'),
      spec: { ...spec, shareProcessNamespace: true },
      container: { ...mounted, securityContext: bare },
    },
    nonroot: {
      image: busybox,
      command: supervised('sh'),
      spec: { ...spec, volumes: [...spec.volumes, { name: 'app', emptyDir: {} }] },
      container: {
        volumeMounts: [...mounted.volumeMounts, { name: 'app', mountPath: '/app' }],
        securityContext: { ...bare, readOnlyRootFilesystem: true },
      },
    },
    twins: {
      image: busybox,
      command: supervised('sh'),
      container: mounted,
      spec: {
        ...spec,
        shareProcessNamespace: true,
        containers: ['main', 'other'].map((name) => ({ name, image: busybox, command: supervised('sh'), ...mounted })),
      },
    },
    readonly: {
      image: busybox,
      command: sleep,
      spec: { ...spec, volumes: [...spec.volumes, { name: 'small', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }] },
      container: {
        volumeMounts: [...mounted.volumeMounts, { name: 'small', mountPath: '/small' }],
        securityContext: { readOnlyRootFilesystem: true },
      },
    },
  }
  const program = readFileSync(agent.path)
  pods = await startPods(connection, namespace.name, all, async (made, name) => {
    const copy = `head -c ${program.length} > ${agentPath}-new && chmod 755 ${agentPath}-new && mv ${agentPath}-new ${agentPath}`
    await made.script(target(name, 'wait'), copy, program)
  })
}, 180_000)

afterAll(async () => {
  await namespace?.remove()
  connection?.close()
})

runUserSuite({ name: 'the agent', open: { root: () => open('busybox', ['/tmp']), nonroot: () => open('nonroot', ['/tmp']) } })

for (const pod of ['busybox', 'node'] as const) {
  const suite = {
    name: `agent in a pod (${pod})`,
    open: (): Promise<SyncFixture> => pods.fixture(target(pod), (through, root) => open(pod, [root], { through })),
  }
  syncTransportSuite(suite)
  syncListSuite(suite)
  syncBothWaysSuite(suite)
}

describe('the agent in a pod', () => {
  it('works where there is no shell at all', async () => {
    const session = await open('static', ['/tmp/app'])
    const files = ['a', 'deep/er/b', 'c'].map((path) => `/tmp/app/${path}`)
    await session.apply(
      files.map((path) => fileOp(path, path)),
      never,
    )
    expect(await session.inspect(files, never)).toEqual(new Map(files.map((path) => [path, fileEntry(path)])))
    expect(await session.run(['/.devloop/busybox', 'cat', files[0] ?? ''], () => {}, never)).toEqual({ exitCode: 0 })
    await expect(session.run('echo x', () => {}, never)).rejects.toMatchObject({
      code: 'run/failed',
      message: expect.stringContaining('no shell') as string,
    })
    await session.close()
  })

  it('is told apart from one that is not there, and from another version', async () => {
    const to = target('node')
    const exec = (argv: readonly string[], options: { stdin: boolean; signal: AbortSignal }) =>
      openExec(connection, to, argv, options)
    const options = { exec, roots: ['/tmp'], name: 'a container', agentPath, version: agent.version }
    const noAgent = { code: 'sync/no-agent' }
    await expect(openAgentSession({ ...options, agentPath: '/no/agent' }, never)).rejects.toMatchObject(noAgent)
    // no program, and one that is no agent
    await expect(openAgentSession({ ...options, agentPath: '/etc/passwd' }, never)).rejects.toMatchObject(noAgent)
    await expect(openAgentSession({ ...options, agentPath: '/bin/cat' }, never)).rejects.toMatchObject(noAgent)
    await expect(openAgentSession({ ...options, version: '0123456789abcdef' }, never)).rejects.toMatchObject({
      ...noAgent,
      message: expect.stringMatching(new RegExp(`another version.*${agent.version}.*0123456789abcdef`)) as string,
    })
    const gone = (argv: readonly string[], more: { stdin: boolean; signal: AbortSignal }) =>
      openExec(connection, { ...to, pod: 'no-such-pod' }, argv, more)
    await expect(openAgentSession({ ...options, exec: gone }, never)).rejects.toMatchObject({ code: 'sync/disconnected' })
  })

  it('tells a full disk, a read-only root and missing rights apart, leaves nothing behind and goes on', async () => {
    const session = await open('readonly', ['/small', '/etc/app', '/app.json'])
    const small = (name: string, size: number): SyncOp => fileOp(`/small/${name}`, randomBytes(size))
    const failed = async (ops: readonly SyncOp[]): Promise<unknown> =>
      session.apply(ops, never).catch((thrown: unknown) => thrown)
    await session.apply([small('kept', 900_000)], never)
    const full = { code: 'sync/disk-full', message: expect.stringMatching(/\/small.*user 0/) as string }
    expect(await failed([small('middle', 300_000)])).toMatchObject(full)
    expect(await failed([small('large', 6_000_000)])).toMatchObject(full)
    expect(await failed(Array.from({ length: 100 }, (_, number) => small(`many${number}`, 5000)))).toMatchObject(full)
    await pods.script(target('readonly'), 'rm -f /small/many*')
    const readOnly = { code: 'sync/read-only', message: expect.stringMatching(/(\/etc\/app|\/app\.json).*user 0/) as string }
    expect(await failed([fileOp('/etc/app/a', 'x')])).toMatchObject(readOnly)
    expect(await failed([fileOp('/app.json', 'x'.repeat(600_000))])).toMatchObject(readOnly)
    expect(await failed([{ op: 'link', path: '/etc/app/l', target: 'x' }])).toMatchObject(readOnly)
    await session.apply([{ op: 'delete', path: '/small/kept' }, fileOp('/small/after', 'fine')], never)
    expect((await pods.script(target('readonly'), 'ls -A /small')).toString()).toBe('after\n')
    await session.close()
  })

  it('works under a random user without rights, and says where it may not write', async () => {
    const session = await open('nonroot', ['/app', '/etc/app'])
    await session.apply([fileOp('/app/deep/x', 'x', 0o755)], never)
    expect((await pods.script(target('nonroot'), 'ls -ln /app/deep/x')).toString()).toMatch(/^-rwxr-xr-x +1 1000650000 0 /)
    await expect(session.apply([fileOp('/etc/app/x', 'x')], never)).rejects.toMatchObject({ code: 'sync/read-only' })
    await session.close()
    const other = await open('shared', ['/var/app'])
    const denied = { code: 'sync/permission', message: expect.stringMatching(/user 1000650000 .*\/var\/app/i) as string }
    await expect(other.apply([fileOp('/var/app/x', 'x')], never)).rejects.toMatchObject(denied)
    await expect(
      other.apply([fileOp('/var/app/x', 'x'.repeat(600_000)), fileOp('/var/app/y', 'y')], never),
    ).rejects.toMatchObject(denied)
    await other.close()
  })

  it.each(['supervised', 'shared', 'nonroot'] as const)('restarts the main process in place: %s', async (pod) => {
    const session = await open(pod, ['/tmp'])
    await pods.startedLines(pod, 1)
    for (let count = 2; count <= 4; count++) {
      await session.restart(never)
      await pods.startedLines(pod, count)
    }
    expect(new Set(await pods.startedLines(pod, 4)).size).toBe(4)
    // what the old ones had started is gone with them, orphans too, and nothing is left as a zombie
    const running = `for f in /proc/[0-9]*/cmdline; do tr "\\0" " " < "$f" 2>/dev/null; echo; done | grep -c "^sleep 10000[0]"`
    expect((await pods.script(target(pod), running)).toString()).toBe('2\n')
    expect((await pods.script(target(pod), `cat /proc/[0-9]*/stat | grep -c ') Z ' || :`)).toString()).toBe('0\n')
    expect(await pods.restartCount(pod)).toBe(0)
    await session.close()
  })

  it('restarts where there is no shell', async () => {
    const session = await open('static', ['/tmp'])
    await pods.startedLines('static', 1)
    await session.restart(never)
    await pods.startedLines('static', 2)
    expect(await pods.restartCount('static')).toBe(0)
    await session.close()
  })

  it('restarts only the container that it is in, though the pod shares its network and its processes', async () => {
    const session = await open('twins', ['/tmp'], { container: 'other' })
    const before = (await pods.startedLines('twins', 1, 'other')).length
    await session.restart(never)
    // one that is replaced before it has said that it started never says it
    await pods.startedLines('twins', before + 1, 'other')
    await session.restart(never)
    expect(await pods.startedLines('twins', before + 2, 'other')).toHaveLength(before + 2)
    expect(await pods.startedLines('twins', 1, 'main')).toHaveLength(1)
    await session.close()
  })

  it.each([
    ['busybox', 'main'],
    ['supervised', 'main'],
    ['shared', 'main'],
    ['nonroot', 'main'],
    ['twins', 'other'],
  ] as const)('signals the main process of its own container, and only what that takes: %s', async (pod, container) => {
    const session = await open(pod, ['/tmp'], { container })
    const lines = pod === 'busybox' ? ['started 1'] : await pods.startedLines(pod, 1, container)
    const pid = lines.at(-1)?.split(' ')[1] ?? ''
    await expect(session.signal?.('SIGHUP', never)).rejects.toMatchObject({
      code: 'signal/failed',
      info: { why: expect.stringMatching(new RegExp(`^Process ${pid} \\(`)) as string },
    })
    if (pod !== 'busybox') {
      await session.signal?.('SIGUSR1', never)
      expect((await pods.startedLines(pod, lines.length + 1, container)).slice(lines.length)).toEqual(['started nothing'])
    }
    expect(await pods.restartCount(pod)).toBe(0)
    await session.close()
  })

  it('says so when nothing can be restarted', async () => {
    const session = await open('node', ['/tmp'])
    await expect(session.restart(never)).rejects.toMatchObject({ code: 'restart/unsupported' })
    await session.close()
  })

  it('is restarted by the shell loop as well, as a daemon of another version does it', async () => {
    const session = await createShellTransport(connection).open(target('supervised'), ['/tmp'], never)
    const before = (await pods.startedLines('supervised', 1)).length
    await session.restart(never)
    expect(new Set(await pods.startedLines('supervised', before + 1)).size).toBe(before + 1)
    await session.close()
  })

  silenceSuite((through) => open('node', ['/tmp'], { through }))

  it('ends when its session is closed, with what it runs', async () => {
    const session = await open('node', ['/tmp/ends'])
    let started: () => void = () => {}
    const began = new Promise<void>((resolve) => (started = resolve))
    const running = session.run('echo started; exec sleep 54321', () => started(), never)
    running.catch(() => {})
    await began
    await session.close()
    await expect(running).rejects.toMatchObject({ code: 'sync/disconnected' })
    const left = 'ps | grep -c -e "agent serv[e]" -e "sleep 5432[1]" || :'
    await waitFor(async () => (await pods.script(target('node'), left)).toString().trim() === '0', { what: 'the agent to end' })
  })
})
