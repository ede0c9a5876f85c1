// Options of an app that only its pods have: what they come to, and what can be wrong in them.
import { expect, test } from 'vitest'
import { isInput } from '../../../src/devloopfile/inputs.js'
import type { AppSpec } from '../../../src/model/plan.js'
import { devloopfile, project } from './project.js'

const files = { 'conf/a.conf': 'a', 'conf/sub/b.sh': 'b', 'one.txt': '1' }

const errorsOf = (options: string, more: Readonly<Record<string, string>> = {}): Promise<string> =>
  project({
    ...files,
    ...more,
    'Devloopfile.ts': devloopfile(`  const a = app('a', { image: 'x', ${options} } as any)`, 'a'),
  }).errors()

test('volumes, probe, job, user, names and settings of pods', async () => {
  const one = project({
    ...files,
    'Devloopfile.ts': devloopfile(
      `  const a = app('a', {
    image: 'x', ports: { http: 80 }, headless: true, aliases: ['b', 'b'], portVariables: false, workdir: '/srv', user: '10:20', job: { retries: 3 },
    volumes: {
      '/data/': 'data', '/ro': { volume: 'data', size: '2Gi', storageClass: 'fast', readOnly: true }, '/e': { empty: true, size: '1Gi' }, '/m': { empty: 'memory' },
      '/conf': { files: 'conf' }, '/one': { files: 'one.txt', secret: true, mode: 0o600 }, '/text': { text: text\`p=\${generated('p')}\` },
    },
    probe: { http: '/up', period: 5 },
    pod: { limits: { cpu: '1' }, stopTimeout: 3, hosts: { h: '::1' }, hostname: 'me', capabilities: { add: 'CAP_net_admin' }, readOnly: true, stdin: true, tty: true },
  })
  const b = app('b', { image: 'x', volumes: { '/d': 'data' }, probe: { exec: 'true' }, user: 5, job: true }), c = app('c', { image: 'x', port: 1, probe: { tcp: 'main' } }), d = app('d', { image: 'x', probe: false })`,
      'b, a, c, d',
    ),
  })
  const plan = await one.plan()
  const { a, b, c, d } = plan.resources as unknown as Record<'a' | 'b' | 'c' | 'd', AppSpec>
  expect(a).toMatchObject({
    headless: true,
    aliases: ['b'],
    portVariables: false,
    workdir: '/srv',
    user: { uid: 10, gid: 20 },
    job: { retries: 3 },
    probe: { check: { kind: 'http', port: 'http', path: '/up' }, period: 5, startPeriod: 1, timeout: 5, failures: 3 },
    pod: {
      limits: { cpu: '1' },
      stopTimeout: 3,
      hosts: { h: '::1' },
      hostname: 'me',
      capabilities: { add: ['NET_ADMIN'] },
      readOnly: true,
      stdin: true,
      tty: true,
    },
  })
  expect(a.volumes).toMatchObject([
    { path: '/data', kind: 'named', name: 'data', size: '1Gi' },
    { path: '/ro', kind: 'named', name: 'data', size: '2Gi', storageClass: 'fast', readOnly: true },
    { path: '/e', kind: 'empty', size: '1Gi' },
    { path: '/m', kind: 'empty', memory: true },
    { path: '/conf', kind: 'files', files: [{ to: 'a.conf', mode: 0o644 }, { to: 'sub/b.sh' }] },
    { path: '/one', kind: 'files', secret: true, single: true, files: [{ to: '', mode: 0o600 }] },
    {
      path: '/text',
      kind: 'files',
      single: true,
      files: [{ from: { text: [{ text: 'p=' }, { kind: 'generated', name: 'p' }] } }],
    },
  ])
  // the first that is listed makes the volume that both use
  expect([a.volumes?.[0], b.volumes?.[0]].map((volume) => volume?.kind === 'named' && volume.owner)).toEqual([undefined, true])
  expect(b).toMatchObject({ user: { uid: 5 }, job: { retries: 0 }, probe: { check: { command: ['/bin/sh', '-c', 'true'] } } })
  expect([c.probe, d.probe]).toMatchObject([{ check: { kind: 'tcp', port: 'main' } }, false])

  // what is mounted is watched, and a changed content is another plan
  const { inputs } = await one.load()
  expect(['conf/new/file', 'one.txt'].map((path) => isInput(inputs, `${one.root}/${path}`))).toEqual([true, true])
  one.write({ 'conf/a.conf': 'changed' })
  expect(((await one.plan()).resources.a as AppSpec).volumes?.[4]).not.toEqual(a.volumes?.[4])
})

test('volumes', async () => {
  expect(await errorsOf(`volumes: ['data']`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`volumes\` must be an object with what is mounted by its path in the container.
    Received ['data'].
    -> Correct the value that the error names."
  `)
  expect(
    await errorsOf(
      `volumes: { data: 'a', '/': 'a', '/a': 3, '/b': {}, '/c': 'My_Data', '/d': { volume: 'd', size: 'lots', readonly: true }, '/e': { empty: 'disk' }, '/f': { files: 'none' }, '/g': { files: 'one.txt', mode: 0o1000, secret: 'yes' }, '/h': { text: {} }, '/i': 'x', '/i/': 'y' }`,
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': 'data' is no path for a volume.
    -> Use an absolute path in the container, below \`/\`.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': '/' is no path for a volume.
    -> Use an absolute path in the container, below \`/\`.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`volumes['/a']\` must be the name of a volume, { volume }, { empty }, { files: 'path' }, { text }, or what config or secret gave.
    Received 3.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`volumes['/b']\` must be the name of a volume, { volume }, { empty }, { files: 'path' }, { text }, or what config or secret gave.
    Received an empty object.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`volumes['/c']\` must be lower-case letters, digits and \`-\` (at most 63, no \`-\` at either end).
    Received 'My_Data'.
    -> For instance 'my-data'.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': there is no option \`volumes['/d'].readonly\`.
    Received readonly: true. Options: volume, size, storageClass and readOnly.
    -> Did you mean 'readOnly'?

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`volumes['/d'].size\` must be a Kubernetes quantity such as '4' or '8Gi'.
    Received 'lots'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`volumes['/e'].empty\` must be true or 'memory'.
    Received 'disk'.
    -> Correct the value that the error names.

    devloopfile/file at Devloopfile.ts:3:13
    app 'a': there is no file or folder 'none' for \`volumes['/f']\`.
    It was looked for at none.
    -> Correct the path: it is relative to the file that this call stands in.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`volumes['/g'].secret\` must be true or false.
    Received 'yes'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`volumes['/g'].mode\` must be a whole number from 0 to 511.
    Received 512.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`volumes['/h'].text\` must be a string, number, boolean or text.
    Received an empty object.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': two volumes are mounted at '/i'.
    -> Remove one of them."
  `)
  expect(await errorsOf(`volumes: { '/a': { files: 'big' } }`, { big: 'x'.repeat(720_000) })).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': 'big' holds more than 700 kB.
    More does not fit into a ConfigMap or Secret.
    -> Put it into the image, or use a named volume."
  `)
  const many = Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`many/${index}`, '']))
  expect(await errorsOf(`volumes: { '/a': { files: 'many' } }`, many)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': 'many' holds more than 200 files.
    More does not fit into a ConfigMap or Secret.
    -> Put it into the image, or use a named volume."
  `)
})

test('probe, job, user, workdir, aliases, pod', async () => {
  expect(await errorsOf(`probe: true`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`probe\` must be false, or an object with \`exec\`, \`tcp\` or \`http\`.
    Received true.
    -> Correct the value that the error names."
  `)
  expect(await errorsOf(`probe: {}`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`probe\` says not what to ask.
    -> Give one of \`exec\`, \`tcp\` and \`http\`."
  `)
  expect(await errorsOf(`probe: { exec: 'a', tcp: 1 }`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`probe\` says both \`exec\` and \`tcp\`.
    -> Give one of \`exec\`, \`tcp\` and \`http\`."
  `)
  expect(await errorsOf(`ports: { http: 80 }, probe: { tcp: 'htttp', period: 0, every: 3 }`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': there is no option \`probe.every\`.
    Received every: 3. Options: exec, tcp, http, port, period, startPeriod, timeout and failures.
    -> Remove it.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`probe.tcp\` names the port 'htttp', which it does not have.
    Ports: http.
    -> Did you mean 'http'?

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`probe.period\` must be a whole number from 1 to 86400.
    Received 0.
    -> Correct the value that the error names."
  `)
  expect(await errorsOf(`probe: { http: '/' }`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`probe.port\` is missing.
    -> Give the name of a port, or its number."
  `)
  expect(await errorsOf(`port: 80, probe: { http: 'up' }`)).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`probe.http\` must be a path such as '/healthz'.
    Received 'up'.
    -> Correct the value that the error names."
  `)
  expect(
    await errorsOf(`job: 'yes', headless: 1, portVariables: 0, user: 'postgres', workdir: 'srv', aliases: ['My_Name', '1a']`),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`aliases\` must be lower-case letters, digits and \`-\` (at most 63, no \`-\` at either end).
    Received 'My_Name'.
    -> For instance 'my-name'.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': the alias '1a' must begin with a letter.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`workdir\` must be an absolute path in the container.
    Received 'srv'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`user\` must be a user's number, or 'user:group' in numbers.
    Received 'postgres'.
    -> Kubernetes knows no names of users: give the number that the image has for it.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`job\` must be true, or { retries }.
    Received 'yes'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`headless\` must be true or false.
    Received 1.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`portVariables\` must be true or false.
    Received 0.
    -> Correct the value that the error names."
  `)
  expect(
    await errorsOf(
      `job: { retries: -1 }, pod: { limit: {}, limits: { cpu: 'fast' }, stopTimeout: 'x', hosts: { a: 'b' }, hostname: 'A', capabilities: [], stdin: 1 }`,
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': there is no option \`pod.limit\`.
    Received limit: an empty object. Options: requests, limits, stopTimeout, hosts, hostname, fsGroup, capabilities, readOnly, stdin and tty.
    -> Did you mean 'limits'?

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`pod.limits.cpu\` must be a Kubernetes quantity such as '4' or '8Gi'.
    Received 'fast'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`pod.stopTimeout\` must be a whole number from 0 to 86400.
    Received 'x'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`pod.hosts.a\` must be an IP address.
    Received 'b'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`pod.hostname\` must be lower-case letters, digits and \`-\` (at most 63, no \`-\` at either end).
    Received 'A'.
    -> For instance 'a'.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`pod.capabilities\` must be an object.
    Received an empty array.
    -> Options: add and drop.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`pod.stdin\` must be true or false.
    Received 1.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`job.retries\` must be a whole number from 0 to 1000.
    Received -1.
    -> Correct the value that the error names."
  `)
})
