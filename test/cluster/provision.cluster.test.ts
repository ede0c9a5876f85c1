// `devloop provision`: what an administrator gives a developer, and what a developer can do with it.
import { execFile } from 'node:child_process'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import { replaceToken } from '../../src/adapters/kube/scoped/kubeconfig-file.js'
import { requestToken } from '../../src/adapters/kube/scoped/request-token.js'
import { ownNamespace } from '../../src/model/sandbox.js'
import { randomSuffix, testConnection, testKubeconfig, testNamespace, waitFor, withKubeconfig } from '../support/cluster.js'
import { answers, homes, project, run, watch, type Ended } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'
import { kubeTools } from '../support/kube-tools.js'
import { certificateUser } from '../support/users.js'
import { testImage } from '../support/cluster.js'

vi.setConfig({ testTimeout: 240_000 })

let admin: KubeConnection
beforeAll(async () => void (admin = await testConnection()))
afterAll(() => admin.close())

interface Project {
  readonly name: string
  readonly cwd: string
  readonly env: Record<string, string>
  readonly port: number
  provision(user: string, ...args: readonly string[]): Promise<Ended>
}

/** A small project of one app that is not built, with a sandbox of its own for each developer. */
async function team(): Promise<Project> {
  const name = `team-${randomSuffix()}`
  const port = await freePort()
  const base = await testImage()
  const cwd = await project({
    'Devloopfile.ts': `
import { app, defineDevloop } from 'devloop'
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], sandbox: { cpu: '2', memory: '2Gi', pods: 5 } },
  resources: [app('web', {
    image: '${base}', ports: { http: 8080 }, forward: { http: Number(process.env.WEB_PORT) },
    command: ['node', '-e', "require('http').createServer((_, answer) => answer.setHeader('connection', 'close').end('served')).listen(8080)"],
  })],
}))
`,
  })
  const env = { ...(await homes()), CI: '', WEB_PORT: String(port) }
  return { name, cwd, env, port, provision: (user, ...args) => run(['provision', '--user', user, ...args], { cwd, env }) }
}

const leave = (namespace: string): void =>
  onTestFinished(async () => void (await admin.request('DELETE', `/api/v1/namespaces/${namespace}`).catch(() => undefined)))

/** Whether a user may do something, by the cluster's own word. */
async function can(
  user: string,
  namespace: string,
  verb: string,
  name: string,
  groups: readonly string[] = [],
): Promise<boolean> {
  const [whole = '', subresource] = name.split('/')
  const [resource, ...group] = whole.split('.')
  const resourceAttributes = { namespace, verb, resource, group: group.join('.'), ...(subresource ? { subresource } : {}) }
  const answer = (await admin.request('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user, groups: ['system:authenticated', ...groups], resourceAttributes },
    },
  })) as { status: { allowed: boolean } }
  return answer.status.allowed
}

const places = [
  '/api/v1/namespaces/NS',
  '/api/v1/namespaces/NS/resourcequotas/devloop',
  '/api/v1/namespaces/NS/limitranges/devloop',
  '/apis/networking.k8s.io/v1/namespaces/NS/networkpolicies/devloop',
  '/apis/rbac.authorization.k8s.io/v1/namespaces/NS/rolebindings/devloop-access',
]
/** What of an object is compared: a ResourceQuota's status is the cluster's. */
const version = async (namespace: string): Promise<string[]> =>
  Promise.all(
    places.map(async (path) => {
      const { metadata, kind } = (await admin.request('GET', path.replace('NS', namespace))) as {
        kind: string
        metadata: { resourceVersion: string; managedFields: { time: string; subresource?: string }[] }
      }
      const times = metadata.managedFields.filter((one) => one.subresource === undefined).map((one) => one.time)
      return `${kind} ${kind === 'ResourceQuota' ? times.join() : metadata.resourceVersion}`
    }),
  )

const outcomes = ({ stdout }: Ended): string[] => stdout.trimEnd().split('\n').slice(0, -1)

test('a namespace for a user: told before, made once, and exactly the rights that are meant', async () => {
  const { name, provision, cwd, env } = await team()
  const user = `ann-${randomSuffix()}@aurora.org`
  const namespace = ownNamespace(user, name)
  leave(namespace)
  const objects = [
    `namespace/${namespace}`,
    'limitrange/devloop',
    'resourcequota/devloop',
    'networkpolicy/devloop',
    'rolebinding/devloop-access',
  ]

  const dry = await provision(user, '--group', 'devs', '--dry-run')
  expect([dry.code, dry.stderr, outcomes(dry)]).toEqual([0, '', objects.map((one) => `would create ${one}`)])
  const json = JSON.parse((await provision(user, '--group', 'devs', '--dry-run', '--json')).stdout) as {
    dryRun: boolean
    objects: { name: string; outcome: string }[]
  }
  expect([json.dryRun, json.objects]).toEqual([true, objects.map((name) => ({ name, outcome: 'created' }))])
  await expect(admin.request('GET', `/api/v1/namespaces/${namespace}`)).rejects.toMatchObject({ code: 'cluster/namespace' })

  const first = await provision(user, '--group', 'devs')
  expect([first.code, first.stderr, outcomes(first)]).toEqual([0, '', objects.map((one) => `created ${one}`)])
  expect(first.stdout).toContain(`the namespace of ${user} in ${admin.context} is ${namespace}\n`)
  const before = await version(namespace)
  const second = await provision(user, '--group', 'devs')
  expect([second.code, outcomes(second)]).toEqual([0, objects.map((one) => `unchanged ${one}`)])
  expect(await version(namespace)).toEqual(before)
  // one who loses the group loses what it gave
  const third = await provision(user)
  expect(outcomes(third)).toContain('changed rolebinding/devloop-access')
  expect(await can('somebody', namespace, 'get', 'pods', ['devs'])).toBe(false)

  const policy = (await admin.request('GET', `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/devloop`)) as {
    spec: { policyTypes: string[]; podSelector: object; ingress: { from: object[] }[] }
  }
  expect(policy.spec).toMatchObject({ policyTypes: ['Ingress'], podSelector: {} })
  expect(policy.spec.ingress[0]?.from).toContainEqual({ podSelector: {} })

  const another = await testNamespace()
  onTestFinished(() => another.remove())
  for (const [verb, resource] of [
    ['get', 'pods/exec'],
    ['create', 'pods/exec'],
    ['create', 'pods/portforward'],
    ['patch', 'deployments.apps'],
    ['get', 'secrets'],
  ] as const) {
    expect([verb, resource, await can(user, namespace, verb, resource)]).toEqual([verb, resource, true])
    expect([verb, resource, await can(user, another.name, verb, resource)]).toEqual([verb, resource, false])
  }
  for (const resource of ['rolebindings.rbac.authorization.k8s.io', 'resourcequotas', 'limitranges'])
    expect([resource, await can(user, namespace, 'create', resource)]).toEqual([resource, false])

  // what is somebody else's is nobody's to give
  const bob = `bob-${randomSuffix()}`
  const taken = await provision(bob, '--namespace', namespace)
  expect([taken.code, taken.stderr]).toEqual([
    1,
    expect.stringContaining(`The namespace ${namespace} belongs to ${user}. [provision/namespace]`),
  ])
  const foreign = await provision(bob, '--namespace', another.name)
  expect([foreign.code, foreign.stderr]).toEqual([1, expect.stringContaining('devloop did not make it')])
  const reserved = await provision(bob, '--namespace', 'kube-public')
  expect([reserved.code, reserved.stderr]).toEqual([1, expect.stringContaining("is the cluster's own")])

  // an administrator who applies by other means gets the same
  const yaml = await provision(bob, '--output', 'yaml')
  leave(ownNamespace(bob, name))
  const file = join(cwd, 'bob.yaml')
  await writeFile(file, yaml.stdout)
  const applied = await promisify(execFile)(join(await kubeTools(), 'kubectl'), ['apply', '-f', file], {
    env: { ...process.env, ...env },
  })
  expect(applied.stdout.trimEnd().split('\n')).toHaveLength(5)
  const after = await provision(bob)
  expect(outcomes(after).map((line) => line.split(' ')[0])).toEqual(objects.map(() => 'unchanged'))
})

test('a kubeconfig for one namespace: it works there and nowhere else, renews itself, and says so when it has run out', async () => {
  const { provision, cwd, env, name } = await team()
  const user = `cleo-${randomSuffix()}`
  const namespace = ownNamespace(user, name)
  leave(namespace)
  const file = join(cwd, 'cleo.kubeconfig')
  const made = await provision(user, '--kubeconfig', file, '--lifetime', '15m')
  expect([made.code, made.stderr]).toEqual([0, ''])
  expect(made.stdout).toMatch(/wrote .*cleo\.kubeconfig: it lasts until 20/)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const again = await provision(user, '--kubeconfig', file, '--lifetime', '15m')
  expect([again.code, outcomes(again).filter((line) => !/^(unchanged|the namespace)/.test(line))]).toEqual([0, []])
  await writeFile(join(cwd, 'mine'), 'clusters: []')
  const refused = await provision(user, '--kubeconfig', join(cwd, 'mine'))
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('[kubeconfig/exists]')])

  const cleo = await testConnection(file)
  onTestFinished(() => cleo.close())
  expect([cleo.namespace, cleo.context]).toEqual([namespace, admin.context])
  await cleo.request('GET', `/api/v1/namespaces/${namespace}/pods`)
  await expect(cleo.request('GET', '/api/v1/namespaces/default/pods')).rejects.toMatchObject({ code: 'cluster/forbidden' })
  const quota = `/api/v1/namespaces/${namespace}/resourcequotas/devloop`
  await expect(cleo.request('DELETE', quota)).rejects.toMatchObject({ code: 'cluster/forbidden' })

  // the token asks for its own successor, and what runs goes on with that
  const scoped = cleo.scoped
  if (!scoped) throw new Error('the kubeconfig is not known as one of devloop’s')
  expect((Date.parse(scoped.facts.expires) - Date.parse(scoped.facts.issued)) / 60_000).toBeGreaterThan(14)
  await replaceToken(scoped, await requestToken(cleo, scoped.facts, 900_000, new AbortController().signal))
  expect(cleo.kubeconfig()).not.toContain(scoped.token)
  await cleo.request('GET', `/api/v1/namespaces/${namespace}/pods`)
  // kubectl, which knows nothing of devloop, takes it too
  const kubectl = join(await kubeTools(), 'kubectl')
  const { stdout } = await promisify(execFile)(kubectl, ['auth', 'can-i', 'create', 'pods/exec'], {
    env: { ...process.env, KUBECONFIG: file },
  })
  expect(stdout.trim()).toBe('yes')

  // and devloop runs with it
  const ran = await run(['ci'], { cwd, env: { ...env, KUBECONFIG: file } })
  expect([ran.code, ran.stdout + ran.stderr]).toEqual([0, expect.not.stringContaining('cluster/rights')])

  await admin.request('DELETE', `/api/v1/namespaces/${namespace}/serviceaccounts/${scoped.facts.account}`)
  let told = ''
  await waitFor(
    () =>
      cleo.request('GET', `/api/v1/namespaces/${namespace}/pods`).then(
        () => false,
        (thrown: { info: { code: string; message: string; why: string; help: string } }) => {
          const { code, message, why, help } = thrown.info
          told = [code, message, why, help].join('\n')
          return code === 'cluster/unauthorized'
        },
      ),
    { what: 'the token to be refused', timeoutMs: 90_000, everyMs: 1000 },
  )
  expect(told).toContain(`The cluster does not accept the token in ${file} any more`)
  expect(told).toContain(`the ServiceAccount ${scoped.facts.account} of the namespace ${namespace} was deleted`)
  expect(told).toContain(`devloop provision --user ${user} --namespace ${namespace} --kubeconfig FILE`)
  const started = await run(['ci'], { cwd, env: { ...env, KUBECONFIG: file } })
  expect([started.code, started.stdout + started.stderr]).toEqual([1, expect.stringContaining('[cluster/unauthorized]')])
})

test('two developers with certificates of their own: two namespaces, two running apps, and no rights in each other’s', async () => {
  const first = await team()
  const users = await Promise.all(['dana', 'eli'].map((name) => certificateUser(`${name}-${randomSuffix()}@aurora.org`)))
  for (const user of users) onTestFinished(() => user.remove())
  const namespaces = users.map((user) => ownNamespace(user.name, first.name))
  expect(new Set(namespaces).size).toBe(2)
  for (const [index, user] of users.entries()) {
    leave(namespaces[index] ?? '')
    expect((await first.provision(user.name)).code).toBe(0)
  }
  const running = await Promise.all(
    users.map(async (user) => {
      const port = await freePort()
      const env = { ...first.env, ...(await homes()), KUBECONFIG: user.kubeconfig, WEB_PORT: String(port) }
      const watching = await watch([], { cwd: first.cwd, env })
      return { watching, env, port }
    }),
  )
  for (const [index, { watching, port }] of running.entries()) {
    await watching.ready(120_000)
    expect(watching.session()?.runtime.namespace).toBe(namespaces[index])
    expect(watching.session()?.warnings).toBeUndefined()
    await answers(`http://127.0.0.1:${port}/`, 'served')
  }
  for (const [index, user] of users.entries()) {
    const theirs = namespaces[1 - index] ?? ''
    const connection = await withKubeconfig(user.kubeconfig, () => testConnection())
    for (const path of ['pods', 'secrets', 'configmaps'])
      await expect(connection.request('GET', `/api/v1/namespaces/${theirs}/${path}`)).rejects.toMatchObject({
        code: 'cluster/forbidden',
      })
    connection.close()
    // asked for on purpose, it is one clear error
    const asked = await run(['ci', '--namespace', theirs], {
      cwd: first.cwd,
      env: { ...(running[index]?.env ?? {}), ...(await homes()) },
    })
    expect([asked.code, asked.stdout + asked.stderr]).toEqual([1, expect.stringMatching(/\[cluster\/(no-namespace|forbidden)\]/)])
  }
})

test('without a Devloopfile the context must be named, where the cluster is not a local one', async () => {
  const kubeconfig = await testKubeconfig({ context: 'production' })
  onTestFinished(kubeconfig.remove)
  const cwd = await project({})
  const user = `finn-${randomSuffix()}`
  const env = { ...(await homes()), KUBECONFIG: kubeconfig.file }
  const refused = await run(['provision', '--user', user], { cwd, env })
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('[cluster/not-allowed]')])
  const dry = await run(['provision', '--user', user, '--context', 'production', '--dry-run'], { cwd, env })
  expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining(`would create namespace/${ownNamespace(user)}`)])
})
