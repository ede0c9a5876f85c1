// What kustomize, Helm and commands of the user's own put into the cluster is watched as closely as what devloop wrote itself: events in
// plain words, crashes with what the container said last, secrets left out, forwards.
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { randomSuffix } from '../support/cluster.js'
import { withKubeTools } from '../support/kube-tools.js'
import { appFiles, loop } from '../support/loop.js'
import { waitFor } from '../support/wait-for.js'
import { listen, sh, workload } from '../support/workloads.js'

const kinds = {
  kustomize: (name: string, over: string) => `kustomize('${name}', '${name}', { ${over} })`,
  helm: (name: string, over: string) => `helm('${name}', { chart: '${name}', ${over} })`,
  'helm release': (name: string, over: string) => `helm('${name}', { chart: '${name}', release: true, ${over} })`,
  custom: (name: string, over: string) =>
    `custom('${name}', { apply: 'kubectl apply -f ${name}/templates/all.yaml -o yaml', delete: 'kubectl delete --wait=false -f ${name}/templates/all.yaml', watch: '${name}/**', ${over} })`,
} as const

test.for(Object.keys(kinds) as (keyof typeof kinds)[])(
  'events, crashes, logs, masking and forwards of %s [tilt-24] [tilt-27]',
  async (kind) => {
    const secret = `hunter-${randomSuffix()}`
    const one = await loop({
      env: await withKubeTools(),
      files: {},
      devloopfile: ({ name, namespace, port }) => `
import { custom, defineDevloop, helm, kustomize } from 'devloop'
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [${kinds[kind]('crash', '')}, ${kinds[kind]('waits', `forward: { 8080: ${port} }`)}],
}))
`,
    })
    const put = async (name: string, list: readonly object[]): Promise<void> => {
      const text = list.map((object) => `---\n${stringify(object)}`.replaceAll('IMAGE', one.base)).join('')
      await one.save(`${name}/templates/all.yaml`, text)
      await one.save(`${name}/Chart.yaml`, `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`)
      await one.save(`${name}/kustomization.yaml`, 'resources: [templates/all.yaml]\n')
    }
    const env = { env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'keys', key: 'PASSWORD' } } }] }
    const script = 'echo first; echo "plain $PASSWORD"; echo "coded $(printf %s $PASSWORD | base64)"; exit 3'
    await put('crash', [
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, stringData: { PASSWORD: secret } },
      workload('apps/v1', 'Deployment', 'crash', { containers: [sh('main', script, env)] }),
    ])
    const serve = {
      ...sh('serve', ''),
      command: ['node', '-e', "require('http').createServer((_, to) => to.end('served')).listen(8080)"],
      volumeMounts: [{ name: 'v', mountPath: '/v' }],
    }
    const volumes = [{ name: 'v', configMap: { name: 'absent' } }]
    await put('waits', [workload('apps/v1', 'Deployment', 'waits', { containers: [serve], volumes })])

    const watching = await one.watch()
    const said = listen(watching)
    const { error } = await watching.until('crash', (view) => /It said last/.test(view.error?.why ?? ''), 120_000)
    expect(error?.code).toBe('pod/crashed')
    expect(error?.why).toContain('It said last:\nfirst\nplain [secret keys/PASSWORD]\ncoded [secret keys/PASSWORD]')
    await waitFor(() => said.of('main').includes('coded [secret keys/PASSWORD]'), { what: 'the log', timeoutMs: 30_000 })
    expect(said.of('main').slice(0, 2)).toEqual(['first', 'plain [secret keys/PASSWORD]'])

    const { error: waiting } = await watching.until('waits', (view) => view.error?.code === 'pod/config', 120_000)
    expect(waiting?.message).toMatch(/^The pod waits-.* waits for the ConfigMap absent, which does not exist\.$/)
    const told = await waitFor(() => said.lines.find(({ source, resource }) => source === 'event' && resource === 'waits'), {
      what: 'the event in the log',
    })
    expect(told.text).toMatch(/^Pod waits-.* waits for the ConfigMap absent, which does not exist: /)
    await one.connection.request('POST', `/api/v1/namespaces/${one.namespace}/configmaps`, {
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'absent' } },
    })
    // the node tries again by itself, with growing pauses
    await watching.until('waits', (view) => view.ready, 120_000)
    await one.answers('served')
    const everything = JSON.stringify([...watching.client.views().values()]) + watching.output() + JSON.stringify(said.lines)
    for (const form of [secret, Buffer.from(secret).toString('base64').replace(/=+$/, '')]) expect(everything).not.toContain(form)
  },
)

test('a restart rule is followed in pods of kustomize and Helm; of a custom deploy it is said that it cannot be', async () => {
  const one = await loop({
    env: await withKubeTools(),
    files: appFiles,
    devloopfile: ({ name, namespace, base }) => `
import { custom, defineDevloop, helm, image, kustomize, restart, sync } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: [sync('src', '/app/src'), restart({ on: 'src/**' })] })
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [
    kustomize('one', 'one', { images: [web] }),
    helm('two', { chart: 'two', images: [web] }),
    helm('three', { chart: 'three', images: [web], release: true }),
    custom('four', { apply: 'sed "s|IMAGE|$DEVLOOP_IMAGE_0|" four/templates/all.yaml | kubectl apply -f - -o yaml', delete: 'kubectl delete --wait=false deployment/four', images: [web] }),
  ],
}))
`,
  })
  for (const name of ['one', 'two', 'three', 'four']) {
    const pod = { containers: [{ name: 'web', image: name === 'four' ? 'IMAGE' : `${one.name}/web` }] }
    await one.save(`${name}/templates/all.yaml`, stringify(workload('apps/v1', 'Deployment', name, pod)))
    await one.save(`${name}/Chart.yaml`, `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`)
    await one.save(`${name}/kustomization.yaml`, 'resources: [templates/all.yaml]\n')
  }
  const watching = await one.begin()
  const said = listen(watching)
  const before = await Promise.all(['one', 'two', 'three'].map((name) => one.pods(name)))
  // four starts of the server so far
  await waitFor(() => said.lines.filter(({ text }) => text === 'listening').length === 4, { what: 'the servers to run' })
  await one.save('app/src/word.txt', 'two')
  for (const name of ['one', 'two', 'three'])
    await waitFor(() => said.lines.filter(({ text, resource }) => text === 'listening' && resource === name).length === 2, {
      what: `${name} to be restarted`,
    })
  await watching.ready()
  const after = await Promise.all(['one', 'two', 'three'].map((name) => one.pods(name)))
  expect(after).toEqual(before)

  expect(watching.resource('four')?.warnings).toEqual([
    expect.objectContaining({
      code: 'restart/unsupported',
      message: `Pods of four cannot be restarted in place, as a rule of image ${one.name}/web asks for.`,
    }),
  ])
  expect(said.lines.filter(({ text, resource }) => text === 'listening' && resource === 'four')).toHaveLength(1)
  expect(
    said.lines.some(
      ({ text, resource }) => resource === 'four' && /cannot be restarted in place; the files are there/.test(text),
    ),
  ).toBe(true)
})
