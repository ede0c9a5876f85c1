// Live sync into pods that devloop does not deploy: by the image's shell, and where it has none, by the agent from an ephemeral container.
import { expect, test } from 'vitest'
import { limitedUser, waitFor } from '../support/cluster.js'
import type { Watching } from '../support/devloop.js'
import { withKubeTools } from '../support/kube-tools.js'
import { appFiles, loop, type Loop, type Names } from '../support/loop.js'
import { deploymentYaml } from '../support/workloads.js'

const write =
  (settings = '') =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { custom, defineDevloop, image, sync } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: [sync('public', '/app/public')] })
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}', registry: '${base.split('/')[0]}' }, ${settings}
  resources: [custom('shop', { images: [web], watch: 'deploy/**', forward: { 8080: ${port} }, apply: 'sh apply.sh' })],
}))
`

/** A Deployment whose pods devloop has nothing to do with. */
const template = (pod: string, container: string): string =>
  deploymentYaml(pod, `containers: [{ name: web, image: IMAGE, ${container} }]`)

/** Without a shell or any other tool but Node. @param more what else it does before it loses them @param user of the image */
const noShell = (more = '', user = ''): string => `ARG BASE
FROM \${BASE}
WORKDIR /app
COPY . .
${more}
RUN ["node", "-e", "require('fs').rmSync('/bin', { recursive: true })"]
${user && `USER ${user}`}
CMD ["node", "src/server.js"]
`

async function prepared(
  dockerfile: string,
  {
    pod = '',
    container = '',
    settings = '',
    env = {},
  }: { pod?: string; container?: string; settings?: string; env?: Record<string, string> } = {},
): Promise<Loop> {
  return loop({
    devloopfile: write(settings),
    files: {
      ...appFiles,
      'app/Dockerfile': dockerfile,
      'deploy/web.yaml': template(pod, container),
      'apply.sh': 'set -e\nsed -e "s|IMAGE|$DEVLOOP_IMAGE_0|" deploy/web.yaml | kubectl apply -f - -o yaml\n',
    },
    env: { ...(await withKubeTools()), ...env },
  })
}

const targets = (watching: Watching) => (watching.resource('shop')?.pods ?? []).flatMap((pod) => pod.targets)

async function transport(watching: Watching): Promise<string> {
  await watching.until('shop', () => targets(watching).length === 1 && targets(watching)[0]?.transport !== undefined, 60_000)
  return targets(watching)[0]?.transport ?? ''
}

/** What is told where live sync cannot work. */
const blocked = (watching: Watching) => watching.resource('shop')?.warnings.find(({ code }) => code === 'sync/no-shell')

interface RawPod {
  readonly metadata: { readonly uid: string }
  readonly spec: {
    readonly initContainers?: readonly unknown[]
    readonly ephemeralContainers?: readonly { readonly name: string; readonly securityContext: object }[]
  }
}

const rawPods = async (one: Loop): Promise<readonly RawPod[]> =>
  ((await one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/pods`)) as { items: RawPod[] }).items

test('an image with a shell: the shell loop, and nothing is added to the pod', async () => {
  const one = await prepared('ARG BASE\nFROM ${BASE}\nWORKDIR /app\nCOPY . .\nCMD ["node", "src/server.js"]\n')
  const watching = await one.begin()
  expect(await transport(watching)).toMatch(/^shell loop .*; no agent: devloop does not deploy its pods itself$/)
  await one.save('app/public/live.txt', 'second')
  await one.answers('second', '/live')
  expect((await rawPods(one)).map(({ spec }) => [spec.initContainers, spec.ephemeralContainers])).toEqual([
    [undefined, undefined],
  ])
})

const restricted = `securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }`

test.each([
  ['root', '', '', {}, {}],
  ['the user of its image', 'RUN chown -R 1000:1000 /app', '1000', {}, {}],
  [
    'a user and group of its pod',
    'RUN chmod -R a+rwX /app',
    '',
    { container: 'securityContext: { runAsUser: 1234, runAsGroup: 4321 }' },
    { runAsUser: 1234, runAsGroup: 4321 },
  ],
  ['a user among others', 'RUN chown -R 1000:2000 /app', '1000:2000', { pod: 'shareProcessNamespace: true' }, {}],
] as const)('without a shell, as %s: the agent from an ephemeral container', async (_who, more, user, pod, ids) => {
  const one = await prepared(noShell(more, user), pod)
  const watching = await one.begin()
  expect(await transport(watching)).toMatch(/^agent from an ephemeral container \(the image has no shell/)
  const [before] = await rawPods(one)
  await one.save('app/public/live.txt', 'second')
  await one.answers('second', '/live')
  await one.save('app/public/deep/er/new.txt', 'x'.repeat(200_000))
  await watching.ready()
  const held = (await rawPods(one))[0]?.spec.ephemeralContainers ?? []
  expect(held.at(-1)?.securityContext).toMatchObject({ ...ids, capabilities: { drop: ['ALL'] }, allowPrivilegeEscalation: false })
  expect((await rawPods(one)).map(({ metadata }) => metadata.uid)).toEqual([before?.metadata.uid])

  // a new run uses what is there
  watching.child.kill('SIGINT')
  await watching.ended
  const again = await one.begin()
  expect(await transport(again)).toMatch(/^agent from an ephemeral container/)
  await one.save('app/public/live.txt', 'third')
  await one.answers('third', '/live')
  expect((await rawPods(one))[0]?.spec.ephemeralContainers).toHaveLength(held.length)
})

test('in a namespace that enforces "restricted", and after the container was started again', async () => {
  const one = await prepared(noShell('RUN chown -R 1000:1000 /app', '1000'), {
    pod: 'securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: RuntimeDefault } }',
    container: restricted,
  })
  await one.connection.request('PATCH', `/api/v1/namespaces/${one.namespace}`, {
    body: { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } },
    contentType: 'application/merge-patch+json',
  })
  const watching = await one.begin()
  expect(await transport(watching)).toMatch(/^agent from an ephemeral container/)
  await one.save('app/public/live.txt', 'second')
  await one.answers('second', '/live')
  await fetch(one.url('/exit')).catch(() => {})
  await one.answers('second', '/live', 60_000)
  await one.save('app/public/live.txt', 'third')
  await one.answers('third', '/live', 60_000)
  expect((await rawPods(one))[0]?.spec.ephemeralContainers).toHaveLength(2)
})

test('`settings.agent: false` is meant for this as well: one error, and saves rebuild', async () => {
  const one = await prepared(noShell(), { settings: 'settings: { agent: false },' })
  const watching = await one.begin()
  await one.save('app/public/live.txt', 'second')
  await one.answers('second', '/live', 60_000)
  await watching.ready(60_000)
  expect(blocked(watching)).toMatchObject({
    code: 'sync/no-shell',
    why: expect.stringContaining('`settings.agent` is false') as string,
  })
  expect((await rawPods(one)).flatMap(({ spec }) => spec.ephemeralContainers ?? [])).toEqual([])
})

test('a user who may not add ephemeral containers is told the right that is missing, and saves rebuild', async () => {
  const one = await prepared(noShell())
  const all = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']
  const limited = await limitedUser(one.namespace, [
    {
      apiGroups: ['', 'apps'],
      resources: [
        'pods',
        'pods/log',
        'pods/exec',
        'pods/portforward',
        'services',
        'secrets',
        'configmaps',
        'events',
        'deployments',
        'replicasets',
      ],
      verbs: all,
    },
    { apiGroups: ['apps', 'batch'], resources: ['*'], verbs: ['get', 'list', 'watch'] },
  ])
  one.env['KUBECONFIG'] = limited.file
  const watching = await one.begin()
  await waitFor(() => blocked(watching) !== undefined, { what: 'the error' })
  const { code, why, help } = blocked(watching) ?? { code: '' }
  expect(code).toBe('sync/no-shell')
  expect(why).toBe(
    `You may not patch pods/ephemeralcontainers in namespace ${one.namespace} (the roles \`edit\` and \`admin\` may not either).`,
  )
  expect(help).toContain("- { apiGroups: [''], resources: [pods/ephemeralcontainers], verbs: [patch] }")
  expect((await rawPods(one)).flatMap(({ spec }) => spec.ephemeralContainers ?? [])).toEqual([])
  await one.save('app/public/live.txt', 'second')
  await one.answers('second', '/live', 60_000)
})
