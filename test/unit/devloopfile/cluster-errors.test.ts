// What is said of registries, pull secrets and engines that are not valid.
import { expect, test } from 'vitest'
import { project } from './project.js'

const raw = (text: string): Promise<string> =>
  project({ 'Devloopfile.ts': `import { defineDevloop } from 'devloop'\nexport default defineDevloop(${text})\n` }).errors()

test('registries, pull secrets and engines', async () => {
  const cluster = (text: string): Promise<string> =>
    raw(`async () => ({ name: 'shop', cluster: ${text}, resources: [] }) as never`)
  expect(
    await cluster(`{
      registry: { push: 'https://r.io/dev', pull: 'a b', singleName: 'Dev', fallback: 'yes', extra: 1 },
      pullSecret: 'No Secret',
      engine: 'docker.sock',
    }`),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: there is no option \`cluster.registry.extra\`.
    Received extra: 1. Options: push, pull, singleName and fallback.
    -> Remove it.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`cluster.registry.push\` must be host[:port][/path].
    Received 'https://r.io/dev'.
    -> Use 'r.io/dev'.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`cluster.registry.pull\` must be host[:port][/path].
    Received 'a b'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`cluster.registry.singleName\` must be a repository without registry and tag, such as 'dev'.
    Received 'Dev'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`cluster.registry.fallback\` must be true or false.
    Received 'yes'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`cluster.pullSecret\` must be names of Secrets, such as \`registry-login\`.
    Received 'No Secret'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`cluster.engine\` must be an address such as 'unix:///var/run/docker.sock' or 'ssh://me@build-host'.
    Received 'docker.sock'.
    -> Correct the value that the error names."
  `)
  expect(await cluster(`{ registry: {}, pullSecret: 3, engine: { context: 'a', inCluster: 'deployment/b' } }`))
    .toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`cluster.registry.push\` is missing.
    -> Give a string.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`cluster.pullSecret\` must be true, or the names of Secrets.
    Received 3.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`cluster.engine\` needs either \`context\` or \`inCluster\`.
    -> Correct the value that the error names."
  `)
  expect(await cluster(`{ registry: 4, pullSecret: ['a', 1], engine: { inCluster: { workload: 'pod/x', port: 0 } } }`))
    .toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`cluster.registry\` must be host[:port][/path], or an object such as { push, pull }.
    Received 4.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`cluster.pullSecret\` must be a string or an array of strings.
    Received ['a', 1].
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`cluster.engine.inCluster.workload\` must be 'deployment/NAME', 'statefulset/NAME' or 'service/NAME'.
    Received 'pod/x'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`cluster.engine.inCluster.port\` must be a whole number from 1 to 65535.
    Received 0.
    -> Correct the value that the error names."
  `)
})
