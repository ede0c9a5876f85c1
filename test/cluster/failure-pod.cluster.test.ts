// Pods that do not come up: the resource says why in the words of the cluster, others go on, and an edit heals it.
import { expect, test } from 'vitest'
import { errorsOf, masked, toldError, withBystanders } from '../support/failures.js'
import { waitFor } from '../support/wait-for.js'
import { appFiles, loop, type Loop } from '../support/loop.js'
import { deploymentYaml } from '../support/workloads.js'

test('an image that cannot be pulled', async () => {
  const bad = withBystanders({ instead: "app('web', { image: 'localhost:1/nothing/here:1', port: 8080 })" })
  const one = await loop({ devloopfile: bad })
  const watching = await one.watch()
  const told = masked(await toldError(watching, 'pod/image'), one).split('\n')
  // what the container runtime says of it differs between clusters
  expect([...told.slice(0, 2), ...told.slice(-1)].join('\n')).toMatchInlineSnapshot(`
    "pod/image
    The node cannot pull the image "localhost:1/nothing/here:1" of container web (pod POD).
    -> The node cannot reach the registry: check its address as seen from the cluster, not from this machine."
  `)
  expect(watching.resource('web')?.status).toBe('failed')
  await watching.until('other', (view) => view.ready)
  await one.save('Devloopfile.ts', withBystanders()(one))
  await watching.ready()
  expect(errorsOf(watching)).toEqual([])
  await one.answers('one')
})

test('a process that crashes at its start, until a save mends it', async () => {
  const one = await loop({ devloopfile: withBystanders() })
  await one.save('app/src/server.js', "throw new Error('broken on purpose')\n")
  const watching = await one.watch()
  const told = masked(await toldError(watching, 'pod/crashed'), one).replaceAll(/; it was started again \d+ times?/g, '')
  expect(told).toMatchInlineSnapshot(`
    "pod/crashed
    Container web ended with exit code 1 (pod POD).
    -> Read its log; the next save is tried again."
  `)
  await watching.until('other', (view) => view.ready)
  // its last words are there though it is gone, and not only after many tries
  await waitFor(async () => (await one.devloop('logs', 'web')).stdout.includes('Error: broken on purpose'), {
    what: 'its last words',
  })
  expect(watching.resource('web')?.pods[0]?.restarts).toBeLessThan(2)
  await one.save('app/src/server.js', "require('node:http').createServer((_, response) => response.end('mended')).listen(8080)\n")
  await one.save('app/package.json', '{}')
  await watching.ready()
  expect(errorsOf(watching)).toEqual([])
  await one.answers('mended')
})

/** The app from a manifest with more fields of its container. */
const fromYaml = (container: string): string =>
  deploymentYaml(`containers: [{ name: web, image: registry.example/loop/web, ${container} }]`)

/** A project of it. */
const yamlLoop = (container: string): Promise<Loop> =>
  loop({
    files: { ...appFiles, 'web.yaml': fromYaml(container) },
    devloopfile: (names) =>
      withBystanders({ instead: `manifests('web', 'web.yaml', { images: [web], forward: { 8080: ${names.port} } })` })(
        names,
      ).replace(`image('${names.name}/web'`, "image('loop/web'"),
  })

test('a pod that no node can take', async () => {
  const one = await yamlLoop("resources: { requests: { cpu: '10000' } }")
  const watching = await one.watch()
  const told = masked(await toldError(watching, 'pod/unschedulable'), one).split('\n')
  expect([...told.slice(0, 2), ...told.slice(-1)].join('\n')).toMatchInlineSnapshot(`
    "pod/unschedulable
    No node can take the pod POD.
    -> Lower what the pod asks for, or free the cluster's resources."
  `)
  expect(told.slice(2, -1).join('\n')).toContain('Insufficient cpu')
  await watching.until('other', (view) => view.ready)
  await one.save('web.yaml', fromYaml("resources: { requests: { cpu: '1m' } }"))
  await watching.ready()
  expect(errorsOf(watching)).toEqual([])
  await one.answers('one')
})

test('a container that cannot be configured', async () => {
  const one = await yamlLoop('envFrom: [{ secretRef: { name: missing } }]')
  const watching = await one.watch()
  expect(masked(await toldError(watching, 'pod/config'), one)).toMatchInlineSnapshot(`
    "pod/config
    Container web cannot be started (pod POD).
    secret "missing" not found
    -> Read the reason in the error; it is the node's own."
  `)
  await one.save('web.yaml', fromYaml('envFrom: [{ secretRef: { name: missing, optional: true } }]'))
  await watching.ready()
  expect(errorsOf(watching)).toEqual([])
  await one.answers('one')
})
