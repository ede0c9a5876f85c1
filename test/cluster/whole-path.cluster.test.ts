// The whole path of a newcomer: sources without Dockerfile or YAML, a user that was just made, a cluster with policies. What they
// type and edit is what docs/getting-started.md says, in its order, with the page open.
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { expect, onTestFinished, test } from 'vitest'
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import { ownNamespace } from '../../src/model/sandbox.js'
import { baseImages } from '../support/base-images.js'
import { randomSuffix, testConnection, testRegistry } from '../support/cluster.js'
import { look, noBrowser, type Looking } from '../support/browser.js'
import { answers, homes, project, run, watch, type Watching } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'
import { certificateUser } from '../support/users.js'

const sources = fileURLToPath(new URL('../../examples/getting-started', import.meta.url))

/** A command without the `devloop` before it, or an edit of a file. */
type Step = { readonly command: string } | { readonly file: string; readonly from: string; readonly to: string }

/** What the page has its reader do, in order. */
const steps = async (): Promise<readonly Step[]> => {
  const text = await readFile(fileURLToPath(new URL('../../docs/getting-started.md', import.meta.url)), 'utf8')
  return [...text.matchAll(/```(\w+)\n([^]*?)```/g)].flatMap(([, kind, block = '']): readonly Step[] => {
    if (kind === 'diff') {
      const [, file, from, to] = /^--- (.+)\n-(.+)\n\+(.+)\n$/.exec(block) ?? []
      if (file === undefined || from === undefined || to === undefined) throw new Error(`no edit of one line: ${block}`)
      return [{ file, from, to }]
    }
    if (kind !== 'sh') throw new Error(`'${kind}' is nothing that this test can follow`)
    return block
      .trim()
      .split('\n')
      .map((line) => {
        if (!line.startsWith('devloop ')) throw new Error(`'${line}' is no command that this test can run`)
        return { command: line.slice('devloop '.length) }
      })
  })
}

test('from bare sources of a Node API, a Python worker and a Go service to a page, and a saved line on it', async () => {
  const bases = await baseImages(['node', 'python', 'go', 'static', 'redis'])
  const connection = await testConnection()
  onTestFinished(() => connection.close())
  const developer = await certificateUser(`newcomer-${randomSuffix()}`)
  onTestFinished(developer.remove)
  const namespace = await provide(connection, developer.name)

  const folder = await project({})
  await cp(sources, folder, { recursive: true })
  const [page, greeter] = [await freePort(), await freePort()]
  const change = async (path: string, from: string, to: string): Promise<void> =>
    writeFile(join(folder, path), (await readFile(join(folder, path), 'utf8')).replace(from, to))
  // ports that are free on this machine
  await change('api/server.js', '8080', String(page))
  await change('greeter/main.go', '8081', String(greeter))
  // base images of the company, for all projects of this user
  const config = await project({ 'devloop/bases.yaml': stringify(bases) })
  const env = { ...(await homes()), KUBECONFIG: developer.kubeconfig, XDG_CONFIG_HOME: config }

  const url = `http://127.0.0.1:${page}`
  const told = (thrown: unknown): never => {
    throw new Error(`${String(thrown)}\n${watching?.output()}`)
  }
  /** What is to be seen after an edit of a file. */
  const seen: Readonly<Record<string, RegExp>> = {
    'api/server.js': /^A saved line: hello from the greeter, \d+ jobs done$/,
    'greeter/main.go': /^A saved line: good evening, /,
    'worker/worker.py': /, \d{7,} jobs done$/,
  }
  /** What is to be printed by a command. */
  const printed: Readonly<Record<string, RegExp>> = {
    doctor: /^ok {6}pull: a pod in .*\nok {6}DNS: the same pod found /m,
    'open --print': /^http:\/\/127\.0\.0\.1:\d+\/#token=\S+$/m,
    'status --changes': /live in \d/,
  }
  let watching: Watching | undefined
  let images: readonly unknown[] = []
  let browser: Looking | undefined
  for (const step of await steps()) {
    if ('file' in step) {
      await change(step.file, step.from, step.to)
      await answers(url, seen[step.file] ?? /^$/, 120_000).catch(told)
      // the page says so, too, in the row of the app
      const row = browser?.page.locator(`li[data-resource=${step.file.split('/')[0]}]`)
      await row
        ?.getByText(/live in \d/i)
        .first()
        .waitFor({ timeout: 60_000 })
      continue
    }
    if (step.command === 'watch') {
      watching = await watch([], { cwd: folder, env })
      continue
    }
    const { code, stdout, stderr } = await run(step.command.split(' '), { cwd: folder, env })
    expect([step.command, code, stdout + stderr]).toEqual([step.command, 0, expect.any(String)])
    expect(stdout).toMatch(printed[step.command] ?? /^/)
    if (step.command.startsWith('status --wait')) {
      expect(watching?.session()?.runtime.namespace).toBe(namespace)
      await answers(url, /^The page: hello from the greeter, [1-9]\d* jobs done$/, 60_000).catch(told)
      images = refs(watching?.client.views().values() ?? [])
    }
    if (step.command === 'open --print' && noBrowser === undefined) {
      // at the end, the daemon is gone
      browser = await look(stdout.trim(), { expected: /ERR_CONNECTION_REFUSED/ })
    }
    // nothing was built for what was saved
    if (step.command === 'verify') expect(refs(watching?.client.views().values() ?? [])).toEqual(images)
  }
  expect((await watching?.ended)?.code).toBe(0)
  expect(browser?.problems ?? []).toEqual([])
}, 700_000)

const refs = (views: Iterable<{ readonly kind: string }>): readonly unknown[] =>
  [...views].flatMap((view) => (view.kind === 'image' && 'ref' in view ? [view.ref] : []))

/**
 * What an administrator does before: a namespace for the developer, where policies hold, and the registry told to all.
 * @returns its name
 */
async function provide(connection: KubeConnection, user: string): Promise<string> {
  const admin = await homes()
  const provision = await run(['provision', '--user', user, '--context', connection.context], {
    cwd: await project({}),
    env: admin,
  })
  expect([provision.code, provision.stderr]).toEqual([0, expect.any(String)])
  const namespace = ownNamespace(user)
  onTestFinished(async () => void (await connection.request('DELETE', `/api/v1/namespaces/${namespace}`).catch(() => undefined)))

  const id = `devloop-gate-${randomSuffix()}`
  await connection.request('PATCH', `/api/v1/namespaces/${namespace}`, {
    contentType: 'application/merge-patch+json',
    body: { metadata: { labels: { 'devloop-test/gate': id, 'pod-security.kubernetes.io/enforce': 'restricted' } } },
  })
  const make = async (path: string, body: Readonly<Record<string, unknown>>): Promise<void> => {
    await connection.request('POST', path, { body })
    onTestFinished(async () => void (await connection.request('DELETE', `${path}/${id}`).catch(() => undefined)))
  }
  const policies = '/apis/admissionregistration.k8s.io/v1'
  await make(`${policies}/validatingadmissionpolicies`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: id },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        namespaceSelector: { matchLabels: { 'devloop-test/gate': id } },
      },
      validations: [
        {
          expression: `object.spec.containers.all(one, one.image.startsWith('${await testRegistry()}/'))`,
          message: "images come from the company's registry",
          reason: 'Forbidden',
        },
        {
          expression: "has(object.spec.serviceAccountName) && object.spec.serviceAccountName != 'default'",
          message: 'a pod names its own ServiceAccount',
          reason: 'Forbidden',
        },
        {
          expression:
            'object.spec.containers.all(one, has(one.resources) && has(one.resources.limits) && has(one.resources.requests))',
          message: 'a container says what it needs',
          reason: 'Forbidden',
        },
      ],
    },
  })
  await make(`${policies}/validatingadmissionpolicybindings`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: id },
    spec: { policyName: id, validationActions: ['Deny'] },
  })
  const rights = '/apis/rbac.authorization.k8s.io/v1/namespaces/kube-public'
  await make(`${rights}/roles`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: id },
    rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: ['local-registry-hosting'], verbs: ['get'] }],
  })
  await make(`${rights}/rolebindings`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: id },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: id },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  })
  return namespace
}
