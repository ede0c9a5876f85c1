// `attach`: workloads that something else deploys are shown, forwarded and synced into; nothing else of them changes.
import { expect, test } from 'vitest'
import { limitedUser, waitFor } from '../support/cluster.js'
import type { Watching } from '../support/devloop.js'
import { loop, type Loop, type Names } from '../support/loop.js'
import { listen } from '../support/workloads.js'

/** A server that answers with a file of its image's, at each request; and with its process id. */
const script = `
const { readFileSync } = require('fs')
require('http').createServer((request, response) => {
  response.setHeader('connection', 'close')
  if (request.url === '/exit') process.exit(3)
  console.log('asked for ' + request.url)
  if (request.url === '/host') return response.end(process.env.HOSTNAME)
  try { response.end(readFileSync('/app/' + request.url.slice(1), 'utf8')) } catch { response.writeHead(404).end() }
}).listen(8080, () => console.log('listening ' + process.env.MODE))
process.on('SIGTERM', () => process.exit(0))
`

/** As an image would hold it, which a container that is started again holds anew. */
const server = (mode: string): object => ({
  name: 'web',
  image: 'IMAGE',
  // live sync may be quicker than this
  command: ['sh', '-c', 'mkdir -p /app; [ -e /app/old.txt ] || echo of the image > /app/old.txt; exec node -e "$SERVER"'],
  env: [
    { name: 'SERVER', value: script },
    { name: 'MODE', value: mode },
  ],
  readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
})
const idle = (name: string): object => ({
  name,
  image: 'IMAGE',
  command: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1; done'],
})

interface Made {
  readonly kind?: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'ReplicaSet' | 'Job' | 'Pod'
  readonly mode?: string
  readonly replicas?: number
  readonly containers?: readonly object[]
  /** More of the pod's spec. */
  readonly more?: object
}

const placeOf = (one: Loop, kind: string): string => {
  if (kind === 'Pod') return `/api/v1/namespaces/${one.namespace}/pods`
  return `/apis/${kind === 'Job' ? 'batch' : 'apps'}/v1/namespaces/${one.namespace}/${kind.toLowerCase()}s`
}

/** Deploy a workload `web`, as somebody else does. */
async function deployed(one: Loop, { kind = 'Deployment', mode = 'one', replicas, containers, more }: Made = {}): Promise<void> {
  const labels = { app: 'web' }
  const pod = {
    terminationGracePeriodSeconds: 1,
    containers: containers ?? [server(mode)],
    ...(kind === 'Job' ? { restartPolicy: 'Never' } : {}),
    ...more,
  }
  const spec = {
    ...(kind === 'Job' ? {} : { selector: { matchLabels: labels } }),
    ...(replicas === undefined ? {} : { replicas }),
    template: { metadata: { labels }, spec: pod },
  }
  const body = {
    apiVersion: kind === 'Pod' ? 'v1' : kind === 'Job' ? 'batch/v1' : 'apps/v1',
    kind,
    metadata: { name: 'web', ...(kind === 'Pod' ? { labels } : {}) },
    spec: kind === 'Pod' ? pod : spec,
  }
  await one.connection.request('PATCH', `${placeOf(one, kind)}/web`, {
    body: JSON.parse(JSON.stringify(body).replaceAll('IMAGE', one.base)) as object,
    contentType: 'application/apply-patch+yaml',
    query: { fieldManager: 'somebody' },
  })
}

const patched = (one: Loop, body: object): Promise<unknown> =>
  one.connection.request('PATCH', `${placeOf(one, 'Deployment')}/web`, { body, contentType: 'application/merge-patch+json' })

const live = `live: [sync('app', '/app')]`

const write =
  (options = live, workload = 'deployment/web') =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { attach, defineDevloop, ignore, notify, restart, sync } from 'devloop'
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${options.includes('namespace:') ? 'default' : namespace}', registry: '${base.split('/')[0]}' },
  resources: [attach('${workload}', { forward: { 8080: ${port} }, ${options.replace('NAMESPACE', namespace)} })],
}))
`

const files = { 'app/old.txt': 'of here\n', 'app/new.txt': 'new\n' }

const prepared = (options?: string, workload?: string, env: Record<string, string> = {}): Promise<Loop> =>
  loop({ devloopfile: write(options, workload), files, env })

const targets = (watching: Watching) => (watching.resource('web')?.pods ?? []).flatMap((pod) => pod.targets)

async function pods(one: Loop): Promise<readonly { metadata: { name: string; uid: string } }[]> {
  const { items } = (await one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/pods`)) as {
    items: { metadata: { name: string; uid: string; deletionTimestamp?: string } }[]
  }
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

/** All of a workload that somebody may set. */
async function wanted(one: Loop, kind = 'Deployment'): Promise<unknown> {
  const { metadata, spec } = (await one.connection.request('GET', `${placeOf(one, kind)}/web`)) as {
    metadata: { uid: string; labels?: object; generation: number }
    spec: object
  }
  return { uid: metadata.uid, labels: metadata.labels, generation: metadata.generation, spec }
}

test('a Deployment: the tree comes on first contact, saves follow; it is forwarded and logged; rollouts, deletes, restarts and scaling are followed; `devloop down` leaves it alone', async () => {
  const one = await prepared()
  await deployed(one)
  const before = await wanted(one)
  const watching = await one.begin()
  const log = listen(watching)
  await one.answers('of here\n', '/old.txt')
  await one.answers('new\n', '/new.txt')
  expect(targets(watching)).toMatchObject([{ state: 'in-sync', behind: 0 }])
  expect(targets(watching)[0]?.transport).toMatch(/^shell loop .*; no agent: devloop does not deploy its pods itself$/)
  await waitFor(() => log.of('web').some((line) => line === 'asked for /new.txt'), { what: 'its log' })

  const [first] = await pods(one)
  await one.save('app/new.txt', 'saved\n')
  await one.answers('saved\n', '/new.txt')
  expect((await pods(one)).map(({ metadata }) => metadata.uid)).toEqual([first?.metadata.uid])
  expect(await wanted(one)).toEqual(before)

  // the container is started again, with what its image holds
  await fetch(one.url('/exit')).catch(() => {})
  await one.answers('saved\n', '/new.txt', 60_000)
  await one.answers('of here\n', '/old.txt')
  // its pod is deleted
  await one.connection.request('DELETE', `/api/v1/namespaces/${one.namespace}/pods/${first?.metadata.name}`)
  await one.answers(/^web-(?!$)/, '/host', 60_000)
  await waitFor(async () => (await pods(one)).every(({ metadata }) => metadata.uid !== first?.metadata.uid), {
    what: 'a new pod',
  })
  await one.answers('saved\n', '/new.txt', 60_000)
  // somebody rolls out, and then scales
  await deployed(one, { mode: 'two' })
  await waitFor(() => log.of('web').some((line) => line.includes('listening two')), {
    what: 'the log of the new pod',
    timeoutMs: 60_000,
  })
  await watching.ready(60_000)
  await one.answers('saved\n', '/new.txt', 60_000)
  await patched(one, { spec: { replicas: 3 } })
  await watching.until('web', ({ ready }) => ready && targets(watching).length === 3, 60_000)
  await one.save('app/deep/er.txt', 'deep\n')
  await one.save('app/new.txt', 'all\n')
  await waitFor(() => watching.changes().every(({ outcome }) => outcome !== 'pending'), { what: 'the saves to be live' })
  for (const { metadata } of await pods(one)) {
    const { stdout } = await one.exec(metadata.name, ['sh', '-c', 'cat /app/new.txt /app/deep/er.txt /app/old.txt'])
    expect(stdout).toBe('all\ndeep\nof here\n')
  }

  const verified = await one.devloop('verify')
  expect(verified).toMatchObject({ code: 0 })
  const why = await one.devloop('why', 'app/new.txt')
  expect(why.stdout).toContain('written to /app/new.txt')
  expect(why.stdout).toContain('carried by: shell loop')
  await expect(watching.client.request('restart', { resource: 'web' })).rejects.toThrow(
    "web is attached: its pods are not devloop's to replace",
  )

  const uids = (await pods(one)).map(({ metadata }) => metadata.uid).sort()
  watching.child.kill('SIGINT')
  await watching.ended
  const down = await one.devloop('down')
  expect(down).toMatchObject({ code: 0 })
  expect((await pods(one)).map(({ metadata }) => metadata.uid).sort()).toEqual(uids)
  expect(await wanted(one)).toMatchObject({ labels: undefined, spec: { replicas: 3 } })
})

test.each(['StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'Pod'] as const)(
  'a %s: its pod is found and synced into',
  async (kind) => {
    // one of them in another namespace than the project's
    const one = await prepared(kind === 'DaemonSet' ? `namespace: 'NAMESPACE', ${live}` : live, `${kind.toLowerCase()}/web`)
    await deployed(one, { kind })
    const watching = await one.watch()
    await watching.until('web', () => targets(watching).some(({ state }) => state === 'in-sync'), 60_000)
    // a Job is ready once it is done
    if (kind !== 'Job') await watching.ready(60_000)
    await waitFor(
      async () => {
        const [pod] = await pods(one)
        return (await one.exec(pod?.metadata.name ?? '', ['cat', '/app/new.txt'])).stdout === 'new\n'
      },
      { what: 'the file' },
    )
  },
)

test('on first contact only what differs is written, and nothing that devloop did not bring is deleted', async () => {
  const one = await prepared()
  const volumeMounts = [{ name: 'app', mountPath: '/app' }]
  const copy = 'umask 022; cd /app; printf "of here\\n" > old.txt; echo theirs > theirs.txt; echo older > new.txt'
  await deployed(one, {
    containers: [{ ...idle('web'), volumeMounts }],
    more: {
      volumes: [{ name: 'app', emptyDir: {} }],
      initContainers: [{ name: 'copy', image: 'IMAGE', command: ['sh', '-c', copy], volumeMounts }],
    },
  })
  const watching = await one.begin()
  await waitFor(() => /│ \/app\/new\.txt in web-/.test(watching.output()), { what: 'the one file that differs' })
  const [pod] = await pods(one)
  const { stdout } = await one.exec(pod?.metadata.name ?? '', ['sh', '-c', 'cd /app; cat old.txt new.txt theirs.txt'])
  expect(stdout).toBe('of here\nnew\ntheirs\n')
  const verified = await one.devloop('verify')
  expect(verified).toMatchObject({ code: 0 })
})

test('one that is not there is waited for, and attached to when it appears, goes, and appears again', async () => {
  const one = await prepared()
  const watching = await one.watch()
  const missing = `there is no deployment/web in namespace ${one.namespace}: devloop attaches to it when it appears`
  await watching.until('web', ({ ready, hold }) => !ready && hold?.message === missing, 60_000)
  await deployed(one)
  await watching.ready(60_000)
  await one.answers('new\n', '/new.txt')
  await one.connection.request('DELETE', `${placeOf(one, 'Deployment')}/web`)
  await watching.until('web', ({ ready, hold }) => !ready && hold?.message === missing, 60_000)
  await deployed(one)
  await watching.ready(60_000)
  await one.answers('new\n', '/new.txt')
  expect(targets(watching)).toMatchObject([{ state: 'in-sync' }])
})

test('the container is the one that is named, else the default one of the pod; what cannot be chosen is one error', async () => {
  const one = await prepared()
  await deployed(one, { containers: [idle('beside'), server('one')] })
  const watching = await one.watch()
  const failed = await watching.until('web', ({ error }) => error !== undefined, 60_000)
  expect(failed.error).toMatchObject({
    code: 'attach/container',
    message: 'The pods of deployment/web have several containers, and none is named.',
    why: expect.stringContaining("There are 'beside' and 'web'") as string,
  })
  expect(targets(watching)).toEqual([])
  await one.save('Devloopfile.ts', write(`container: 'none', ${live}`)(one))
  await watching.until('web', ({ error }) => error?.message === "The pods of deployment/web have no container 'none'.", 60_000)
  await one.save('Devloopfile.ts', write(`container: 'web', ${live}`)(one))
  await watching.ready(60_000)
  await one.answers('new\n', '/new.txt')
  expect(targets(watching)).toMatchObject([{ container: 'web' }])
  await one.save('Devloopfile.ts', write()(one))
  await watching.until('web', ({ error }) => error?.code === 'attach/container', 60_000)
  await patched(one, {
    spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/default-container': 'web' } } } },
  })
  await watching.ready(60_000)
  await one.answers('new\n', '/new.txt', 60_000)
})

test('without live rules it is shown, logged and forwarded, and nothing is written; its crashes are told, and its pods left alone', async () => {
  const one = await prepared('')
  await deployed(one)
  const watching = await one.begin()
  await one.answers('of the image\n', '/old.txt')
  expect(targets(watching)).toEqual([])
  const [pod] = await pods(one)
  for (let n = 0; n < 2; n++) await fetch(one.url('/exit')).catch(() => {})
  await watching.until('web', ({ error }) => error?.code === 'pod/crashed', 60_000)
  await watching.ready(60_000)
  expect((await pods(one)).map(({ metadata }) => metadata.uid)).toEqual([pod?.metadata.uid])
})

/** Give somebody the role that the help of an error holds, as it is told there. */
async function granted(one: Loop, help: string | undefined, user: string): Promise<void> {
  const role = /apiVersion: rbac[^]*\n(?=\()/.exec(help ?? '')?.[0] ?? ''
  const name = /name: ([\w-]+)/.exec(role)?.[1] ?? ''
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${one.namespace}`
  await one.connection.request('PATCH', `${rbac}/roles/${name}`, {
    body: role,
    contentType: 'application/apply-patch+yaml',
    query: { fieldManager: 'somebody' },
  })
  const apiGroup = 'rbac.authorization.k8s.io'
  await one.connection.request('POST', `${rbac}/rolebindings`, {
    body: {
      apiVersion: `${apiGroup}/v1`,
      kind: 'RoleBinding',
      metadata: { name },
      roleRef: { apiGroup, kind: 'Role', name },
      subjects: [{ apiGroup, kind: 'User', name: user }],
    },
  })
}

test('rights that are missing are told at once, with the role that gives them; once given, it goes on by itself', async () => {
  const one = await prepared()
  await deployed(one)
  const read = {
    apiGroups: ['', 'apps'],
    resources: ['pods', 'events', 'configmaps', 'deployments'],
    verbs: ['get', 'list', 'watch'],
  }
  const limited = await limitedUser(one.namespace, [read, { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] }])
  one.env['KUBECONFIG'] = limited.file
  const watching = await one.watch()
  const { error } = await watching.until('web', (view) => view.error !== undefined, 60_000)
  expect(error).toMatchObject({
    code: 'cluster/forbidden',
    message: `Attaching to deployment/web needs rights in the namespace ${one.namespace} that you do not have.`,
    why: 'You may not get pods/exec, get pods/portforward.',
  })
  expect(error?.help).toContain("- { apiGroups: [''], resources: [pods/exec], verbs: [get] }")
  await granted(one, error?.help, limited.name)
  await watching.ready(120_000)
  await one.answers('new\n', '/new.txt')
})

test('without a shell, and without the right to add ephemeral containers: one error, with the role; once given, the next save goes on', async () => {
  const one = await prepared()
  // nothing is left of the image's tools but Node
  await deployed(one, {
    containers: [
      { name: 'web', image: 'IMAGE', command: ['node', '-e', script], volumeMounts: [{ name: 'none', mountPath: '/bin' }] },
    ],
    more: { volumes: [{ name: 'none', emptyDir: {} }] },
  })
  const limited = await limitedUser(one.namespace, [
    { apiGroups: ['', 'apps'], resources: ['*'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['pods/exec', 'pods/portforward'], verbs: ['get', 'create'] },
  ])
  one.env['KUBECONFIG'] = limited.file
  const watching = await one.watch()
  const { error } = await watching.until('web', (view) => view.error !== undefined, 60_000)
  expect(error).toMatchObject({
    code: 'sync/no-shell',
    why: `You may not patch pods/ephemeralcontainers in namespace ${one.namespace} (the roles \`edit\` and \`admin\` may not either).`,
  })
  const why = await one.devloop('why', 'app/new.txt')
  expect(why.stdout).toMatch(
    /fails now in web-\S+\/web \(sync\/no-shell\): .* You may not patch pods\/ephemeralcontainers in .* kind: Role/,
  )
  expect(await one.devloop('verify')).toMatchObject({ code: 1 })
  await granted(one, error?.help, limited.name)
  await one.save('app/new.txt', 'saved\n')
  await watching.ready(90_000)
  await one.answers('saved\n', '/new.txt')
  await one.answers('of here\n', '/old.txt')
  expect(targets(watching)[0]?.transport).toMatch(/^agent from an ephemeral container/)
})
