// Options of an app that a cluster's rules ask for: how it is exposed, its ServiceAccount, what it is promised.
import { expect, test } from 'vitest'
import type { AppSpec } from '../../../src/model/plan.js'
import { devloopfile, project } from './project.js'

const written = (options: string) =>
  project({ 'Devloopfile.ts': devloopfile(`  const a = app('a', { image: 'x', ${options} } as any)`, 'a') })
const planned = async (options: string) => (await written(options).plan()).resources.a as AppSpec
const errorsOf = (options: string) => written(options).errors()

test('expose', async () => {
  expect((await planned('port: 80, expose: true')).expose).toEqual({ port: 'main', path: '/' })
  expect((await planned('port: 80, expose: false')).expose).toBeUndefined()
  expect((await planned(`ports: { http: 80, admin: 81 }, expose: { port: 'admin', tls: true }`)).expose).toEqual({
    port: 'admin',
    path: '/',
    tls: true,
  })
  const all = `host: 'shop.test', path: '/shop', tls: 'cert', ingressClass: 'nginx', annotations: { a: 'b' }`
  expect((await planned(`port: 80, expose: { ${all} }`)).expose).toEqual({
    port: 'main',
    host: 'shop.test',
    path: '/shop',
    tls: { secret: 'cert' },
    ingressClass: 'nginx',
    annotations: { a: 'b' },
  })
})

test('what can be wrong in expose', async () => {
  expect(await errorsOf('expose: true')).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`expose\` leads to no port, for it has none.
    -> Give it a \`port\`, or remove \`expose\`."
  `)
  expect(await errorsOf(`port: 80, expose: 'shop.test'`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`expose\` must be true, or { host, path, port, tls }.
    Received 'shop.test'.
    -> Correct the value that the error names."
  `)
  expect(
    await errorsOf(
      `ports: { http: 80 }, expose: { host: 'http://shop.test', path: 'x', port: 'htp', tls: 3, hosts: [], annotations: { a: 1 } }`,
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': there is no option \`expose.hosts\`.
    Received hosts: an empty array. Options: host, path, port, tls, ingressClass and annotations.
    -> Did you mean 'host'?

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`expose.host\` must be a host name such as 'shop.example.com'.
    Received 'http://shop.test'.
    -> Leave out the scheme and the path.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`expose.path\` must be a path such as '/shop'.
    Received 'x'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`expose\` names the port 'htp', which it does not have.
    Ports: http.
    -> Did you mean 'http'?

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`expose.tls\` must be true, or the name of a Secret.
    Received 3.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`expose.annotations\` must be an object with strings by name.
    Received an object with a.
    -> Correct the value that the error names."
  `)
})

test('serviceAccount', async () => {
  expect((await planned(`serviceAccount: 'default'`)).serviceAccount).toEqual({ name: 'default' })
  expect((await planned(`serviceAccount: { annotations: { a: 'b' } }`)).serviceAccount).toEqual({
    token: false,
    annotations: { a: 'b' },
  })
  const rules = `[{ resources: ['pods'], verbs: ['get'] }, { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'], resourceNames: ['web'] }]`
  expect((await planned(`serviceAccount: { rules: ${rules} }`)).serviceAccount).toEqual({
    token: true,
    rules: [
      { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
      { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'], resourceNames: ['web'] },
    ],
  })
})

test('what can be wrong in serviceAccount and in amounts', async () => {
  expect(await errorsOf(`serviceAccount: 'My Account'`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`serviceAccount\` must be the name of a ServiceAccount, or { rules, annotations, token }.
    Received 'My Account'.
    -> Correct the value that the error names."
  `)
  expect(
    await errorsOf(
      `serviceAccount: { rules: [{ resources: 'pods', verbs: [] }, { resources: ['x'], verbs: ['create'], resourceNames: ['y'] }], token: 'yes' }`,
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`serviceAccount.rules[0].resources\` must be an array of strings.
    Received 'pods'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`serviceAccount.rules[0].verbs\` must be an array of strings.
    Received an empty array.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`serviceAccount.rules[1]\` cannot allow \`create\` by name.
    What is created has no name yet when rights are looked at.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`serviceAccount.token\` must be true or false.
    Received 'yes'.
    -> Correct the value that the error names."
  `)
  expect(await errorsOf(`pod: { requests: { cpu: 'lots', disk: '1Gi' } }`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': there is no option \`pod.requests.disk\`.
    Received disk: '1Gi'. Options: cpu and memory.
    -> Remove it.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`pod.requests.cpu\` must be a Kubernetes quantity such as '4' or '8Gi'.
    Received 'lots'.
    -> Correct the value that the error names."
  `)
})
