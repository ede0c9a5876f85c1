import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chooseContext, type KubeconfigPlaces } from '../../../../src/adapters/kube/kubeconfig.js'

let home: string
const places = (env: Record<string, string> = {}): KubeconfigPlaces => ({
  env,
  home,
  serviceAccount: path.join(home, 'serviceaccount'),
})
const file = (name: string): string => path.join(home, name)

interface Client {
  clusters: { name: string; cluster: Record<string, unknown> }[]
  users: { name: string; user: Record<string, unknown> }[]
  contexts: unknown[]
}
const client = (kubeconfig: string): Client => JSON.parse(kubeconfig) as Client

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'devloop-home-'))
  await mkdir(file('.kube'))
  await writeFile(file('.kube/ca.crt'), 'CA ONE')
  await writeFile(
    file('.kube/config'),
    `current-context: one
contexts:
- {name: one, context: {cluster: c1, user: u1, namespace: dev}}
- {name: kind-two, context: {cluster: c2, user: u2}}
clusters:
- {name: c1, cluster: {server: "https://one.example:6443/base/", certificate-authority: ca.crt}}
- {name: c2, cluster: {server: "https://127.0.0.1:1", extensions: [{name: x, extension: {provider: minikube.sigs.k8s.io}}]}}
users:
- {name: u1, user: {client-certificate: me.crt, client-key: keys/me.key, as: bob, as-groups: [a, b], as-uid: 7, as-user-extra: {Scope: [x]}}}
- {name: u2, user: {tokenFile: token}}
`,
  )
  await writeFile(
    file('more'),
    `current-context: three
contexts:
- {name: one, context: {cluster: other, user: other}}
- {name: three, context: {cluster: c3, user: u1}}
- {name: lost, context: {cluster: nowhere, user: u1}}
clusters:
- {name: c1, cluster: {server: "https://elsewhere"}}
- {name: c3, cluster: {server: "https://three", certificate-authority: gone.crt}}
users:
- {name: u1, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, args: [x]}}}
`,
  )
})
afterAll(() => rm(home, { recursive: true }))

describe('chooseContext', () => {
  it('takes the current context of the default file, cut out and bound', () => {
    const chosen = chooseContext(undefined, places())
    expect(chosen).toMatchObject({ context: 'one', clusterName: 'c1', server: 'https://one.example:6443/base', namespace: 'dev' })
    const { clusters, users, contexts } = client(chosen.kubeconfig)
    expect(contexts).toHaveLength(1)
    expect(users).toHaveLength(1)
    expect(clusters).toEqual([
      {
        name: 'c1',
        cluster: {
          server: 'https://one.example:6443/base',
          'certificate-authority-data': Buffer.from('CA ONE').toString('base64'),
        },
      },
    ])
    expect(users[0]?.user).toMatchObject({
      'client-certificate': file('.kube/me.crt'),
      'client-key': file('.kube/keys/me.key'),
      as: 'bob',
    })
    expect(chosen.impersonate).toEqual({
      'Impersonate-Uid': ['7'],
      'Impersonate-Group': ['a', 'b'],
      'Impersonate-Extra-scope': ['x'],
    })
  })

  it('takes the context that is asked for', () => {
    const chosen = chooseContext('kind-two', places())
    expect(chosen).toMatchObject({ context: 'kind-two', provider: 'minikube.sigs.k8s.io', namespace: undefined })
    expect(client(chosen.kubeconfig).users[0]?.user['auth-provider']).toEqual({
      name: 'tokenFile',
      config: { tokenFile: file('.kube/token') },
    })
  })

  it('merges several files: the first that names a thing wins, missing files are passed over', () => {
    const env = { KUBECONFIG: [file('missing'), file('.kube/config'), file('more')].join(path.delimiter) }
    expect(chooseContext(undefined, places(env))).toMatchObject({ context: 'one', server: 'https://one.example:6443/base' })
    const other = { KUBECONFIG: [file('more'), file('.kube/config')].join(path.delimiter) }
    expect(chooseContext('kind-two', places(other)).clusterName).toBe('c2')
    expect(() => chooseContext('one', places(other))).toThrow('names the cluster "other", which the kubeconfig lacks')
  })

  it('finds a plugin beside its kubeconfig and tells it for what it is run', () => {
    const env = { KUBECONFIG: file('more') }
    expect(() => chooseContext(undefined, places(env))).toThrow('gone.crt, which the kubeconfig names, cannot be read')
    const both = { KUBECONFIG: [file('more'), file('.kube/config')].join(path.delimiter) }
    const exec = client(chooseContext('kind-two', places(both)).kubeconfig)
    expect(exec.users).toHaveLength(1)
    // u1 of `more`, by a context of its own
    const plugin = { ...places(env), env: { KUBECONFIG: file('plugin') } }
    return writeFile(
      file('plugin'),
      `current-context: p\ncontexts: [{name: p, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: "http://localhost:8001/"}}]\nusers: [{name: u, user: {exec: {apiVersion: v, command: ./plugin, env: [{name: A, value: b}]}}}]\n`,
    ).then(() => {
      const { users, clusters } = client(chooseContext(undefined, plugin).kubeconfig)
      expect(users[0]?.user.exec).toMatchObject({
        command: file('plugin'),
        env: [{ name: 'A', value: 'b' }, { name: 'KUBERNETES_EXEC_INFO' }],
      })
      expect(clusters[0]?.cluster).toEqual({ server: 'http://localhost:8001', 'insecure-skip-tls-verify': true })
    })
  })

  it('knows what was meant', () => {
    expect(() => chooseContext('knd-two', places())).toThrow('no context "knd-two". Did you mean "kind-two"?')
    expect(() => chooseContext('production', places())).toThrow(/no context "production"\.$/)
  })

  it('says when there is none, or none that can be read', async () => {
    const empty = { ...places({}), home: '/nonexistent' }
    expect(() => chooseContext(undefined, empty)).toThrow(expect.objectContaining({ code: 'cluster/none' }))
    expect(() => chooseContext(undefined, places({ KUBECONFIG: file('missing') }))).toThrow(
      expect.objectContaining({ code: 'cluster/none' }),
    )
    await writeFile(file('broken'), 'users:\n- {name: u, user: {token: very-secret}\n: : :\n')
    let thrown: unknown
    try {
      chooseContext(undefined, places({ KUBECONFIG: file('broken') }))
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({ code: 'cluster/none' })
    expect(JSON.stringify((thrown as { info: object }).info)).not.toContain('very-secret')
    await writeFile(file('no-current'), 'contexts: [{name: a, context: {cluster: c}}]\n')
    expect(() => chooseContext(undefined, places({ KUBECONFIG: file('no-current') }))).toThrow(
      expect.objectContaining({ code: 'cluster/context' }),
    )
  })

  it('uses the service account inside a pod, when there is no kubeconfig', async () => {
    const inside = { ...places({ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }), home: '/nonexistent' }
    await mkdir(file('serviceaccount'))
    await writeFile(file('serviceaccount/token'), 't')
    await writeFile(file('serviceaccount/ca.crt'), 'CA')
    await writeFile(file('serviceaccount/namespace'), 'inner\n')
    expect(chooseContext(undefined, inside)).toMatchObject({
      context: 'in-cluster',
      server: 'https://[fd00::1]:443',
      namespace: 'inner',
    })
  })
})
