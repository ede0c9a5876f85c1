// attach: what becomes of it in the plan, and what is wrong with it.
import { expect, test } from 'vitest'
import { project } from './project.js'

const devloopfile = (resources: string): string => `
import { app, attach, defineDevloop, ignore, manifests, notify, rebuildOn, restart, run, sync } from 'devloop'
export default defineDevloop({ name: 'shop', resources: [${resources}] })
`
const files = { 'src/a.txt': 'a' }

test('a workload is a resource, and an image that stands for what its container runs', async () => {
  const { plan, root } = project({
    ...files,
    'Devloopfile.ts': devloopfile(`
      attach('deployment/web', { namespace: 'prod', container: 'main', context: 'src', live: [sync('.', '/app'), restart({ signal: 'SIGHUP' })], forward: 8080 }),
      attach('pod/one.two', { name: 'one', live: [sync('src', '/src')], initialSync: false }),
      attach('statefulset/db'),
    `),
  })
  const { resources, images } = await plan()
  expect(JSON.parse(JSON.stringify(resources).replaceAll(root, 'ROOT'))).toMatchObject({
    web: {
      kind: 'attach',
      workload: { kind: 'Deployment', name: 'web' },
      namespace: 'prod',
      container: 'main',
      images: ['attach/web'],
      forward: [{ local: 8080, port: 8080 }],
    },
    one: { kind: 'attach', workload: { kind: 'Pod', name: 'one.two' }, images: ['attach/one'] },
    db: { kind: 'attach', workload: { kind: 'StatefulSet', name: 'db' }, images: [] },
  })
  expect(JSON.parse(JSON.stringify(images).replaceAll(root, 'ROOT'))).toMatchObject({
    'attach/web': { context: 'ROOT/src', pulled: { ref: 'deployment/web', initialSync: true, attached: true } },
    'attach/one': { context: 'ROOT', pulled: { ref: 'pod/one.two', initialSync: false, attached: true } },
  })
  expect(Object.keys(images)).toHaveLength(2)
})

test('what is wrong with it is told with what was meant', async () => {
  const { errors } = project({
    ...files,
    'Devloopfile.ts': devloopfile(`
      attach('web'),
      attach('cronjob/web'),
      attach('deployment/a.b'),
      attach('deployment/c', { live: [rebuildOn('x'), restart(), sync('src', '/app')] }),
      attach('deployment/d', { live: [ignore('x')] }),
      attach('deployment/e', { context: 'nowhere', live: [sync('src', '/app')] }),
      attach('deployment/f', { container: 'main', initialSync: true }),
      attach('deployment/g', { image: 'x' } as never),
      app('own', { image: 'postgres:16' }),
      attach('deployment/own', { name: 'other' }),
      manifests('legacy', { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'all', namespace: 'there' } }),
      attach('daemonset/all', { namespace: 'there' }),
      attach('daemonset/all'),
      attach('deployment/two', { live: [sync('src', '/app')], container: 'x' }),
      attach('deployment/two', { name: 'two-y', live: [sync('src', '/app')], container: 'y' }),
      attach('deployment/two', { name: 'two-z', live: [sync('src', '/app')] }),
    `),
  })
  const text = await errors()
  for (const part of [
    "attach 'web': `workload` must be one of deployment/NAME, statefulset/NAME, daemonset/NAME, replicaset/NAME, job/NAME, pod/NAME.",
    "attach 'cronjob/web': `workload` must be one of",
    "attach 'deployment/a.b': `name` must be lower-case letters",
    "attach 'deployment/c': `rebuildOn` has nothing to build: something else deploys it.",
    "attach 'deployment/c': `restart` cannot replace its process: something else has started it.",
    "attach 'deployment/d': no `sync` in `live` brings anything into it.",
    "attach 'deployment/e': there is no folder 'nowhere' for the context.",
    "attach 'deployment/f': `container` is for `live` rules, and there are none.",
    "attach 'deployment/f': `initialSync` is for `live` rules, and there are none.",
    "attach 'deployment/g': there is no option `image`.",
    "attach 'deployment/own': app 'own' of this Devloopfile deploys it.",
    "attach 'daemonset/all': manifests 'legacy' of this Devloopfile deploys it.",
    "Two attach 'deployment/two' sync into one container.",
  ])
    expect(text).toContain(part)
  expect(text.match(/of this Devloopfile deploys it/g)).toHaveLength(2)
  expect(text.match(/sync into one container/g)).toHaveLength(1)
})
