// What is wrong with pods is told on their resource: events in plain words, crashes with what the container said last, secrets left out.
import { expect, test } from 'vitest'
import { randomSuffix } from '../support/cluster.js'
import { loop } from '../support/loop.js'
import { listen, objects, sh, workload } from '../support/workloads.js'
import { waitFor } from '../support/wait-for.js'

test('warnings about its objects are in the log of a resource, in plain words, and no others; what recovered has no problem [tilt-27]', async () => {
  const volume = { volumes: [{ name: 'v', configMap: { name: 'absent' } }] }
  const mounts = { volumeMounts: [{ name: 'v', mountPath: '/v' }] }
  const pod = { ...volume, containers: [sh('main', 'exec sleep 3600', mounts)] }
  const one = await loop({ devloopfile: objects([workload('apps/v1', 'Deployment', 'web', pod)]), files: {} })
  const api = `/api/v1/namespaces/${one.namespace}`
  const stranger = {
    metadata: { name: 'stranger' },
    spec: { volumes: [{ name: 'v', secret: { secretName: 'gone' } }], containers: [{ name: 'x', image: one.base, ...mounts }] },
  }
  const watching = await one.watch()
  const said = listen(watching)
  await one.connection.request('POST', `${api}/pods`, { body: { apiVersion: 'v1', kind: 'Pod', ...stranger } })
  const { error } = await watching.until('it', (view) => view.error !== undefined, 60_000)
  const name = (await one.pods('it'))[0]?.name ?? ''
  expect(error).toMatchObject({
    code: 'pod/config',
    message: `The pod ${name} waits for the ConfigMap absent, which does not exist.`,
    help: 'Create it, put it into the manifests, or correct the name.',
  })
  const told = await waitFor(() => said.lines.find((line) => line.source === 'event'), { what: 'the event in the log' })
  expect(told).toMatchObject({ resource: 'it', level: 'warn' })
  expect(told.text).toMatch(new RegExp(`^Pod ${name} waits for the ConfigMap absent, which does not exist: `))
  // the node warns of the stranger too, which nobody here is told
  const events = (): Promise<{ items: { involvedObject: { name: string } }[] }> =>
    one.connection.request('GET', `${api}/events`, { query: { fieldSelector: 'type=Warning' } }) as never
  await waitFor(async () => (await events()).items.some((event) => event.involvedObject.name === 'stranger'), {
    what: 'a warning about the stranger',
  })

  await one.connection.request('POST', `${api}/configmaps`, {
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'absent' }, data: { a: 'b' } },
  })
  // the node tries again by itself, with growing pauses
  const { error: after, activity } = await watching.until('it', (view) => view.ready, 100_000)
  expect([after, activity]).toEqual([undefined, undefined])
  expect(said.lines.filter(({ text }) => text.includes('stranger') || text.includes('gone'))).toEqual([])

  // what was there before devloop is not news
  watching.child.kill('SIGINT')
  await watching.ended
  const again = await one.begin()
  expect(again.output()).not.toContain('absent')
})

test('a crash tells the last lines of the dead container, and what was too much memory, without secrets [tilt-24]', async () => {
  const secret = `hunter-${randomSuffix()}`
  const env = (name: string) => ({ name, valueFrom: { secretKeyRef: { name: 'keys', key: name } } })
  const script = 'echo first; echo "plain $PASSWORD"; echo "coded $(printf %s $PASSWORD | base64)"; echo "pin $PIN"; exit 3'
  const hungry = {
    ...sh('hungry', ''),
    command: ['node', '-e', 'const all = []; for (;;) all.push(Buffer.alloc(1e6, 1))'],
    resources: { limits: { memory: '48Mi' } },
  }
  const list = [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, stringData: { PASSWORD: secret, PIN: '1234' } },
    workload('apps/v1', 'Deployment', 'crash', { containers: [sh('main', script, { env: [env('PASSWORD'), env('PIN')] })] }),
    workload('apps/v1', 'Deployment', 'hungry', { containers: [hungry] }),
  ]
  const one = await loop({ devloopfile: objects(list, 'workloads: true'), files: {} })
  const watching = await one.watch()
  const said = listen(watching)
  const { error } = await watching.until('crash', (view) => /It said last/.test(view.error?.why ?? ''), 60_000)
  expect(error?.code).toBe('pod/crashed')
  expect(error?.message).toMatch(/^Container main ended with exit code 3/)
  expect(error?.why).toContain('It said last:\nfirst\nplain [secret keys/PASSWORD]\ncoded [secret keys/PASSWORD]\npin 1234')
  await waitFor(() => said.of('main').includes('pin 1234'), { what: 'the log' })
  expect(said.of('main').slice(0, 4)).toEqual([
    'first',
    'plain [secret keys/PASSWORD]',
    'coded [secret keys/PASSWORD]',
    'pin 1234',
  ])
  const { error: full } = await watching.until('hungry', (view) => view.error?.code === 'pod/crashed', 60_000)
  expect(full).toMatchObject({
    message: expect.stringContaining('OOMKilled') as string,
    help: 'Raise its memory limit, or use less memory.',
  })
  // nowhere: views, output, the daemon's own log
  const everything = JSON.stringify([...watching.client.views().values()]) + watching.output() + JSON.stringify(said.lines)
  for (const form of [secret, Buffer.from(secret).toString('base64').replace(/=+$/, '')]) expect(everything).not.toContain(form)
})
