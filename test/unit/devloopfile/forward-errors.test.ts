// Forwards and readiness that are declared wrongly.
import { expect, test } from 'vitest'
import { devloopfile, project } from './project.js'

const errorsOf = (body: string, resources: string): Promise<string> =>
  project({ 'Devloopfile.ts': devloopfile(body, resources) }).errors()

test('a forward and a readiness that are not meant', async () => {
  const forward = `{ http: { local: 0, fallback: 'any' }, admin: { port: 8080 } as never }`
  expect(
    await errorsOf(
      `  const a = app('a', { image: 'a', ports: { http: 80, admin: 81 }, forward: ${forward}, readiness: 'probe' as never })`,
      'a',
    ),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`forward.http.fallback\` must be 'next-free'.
    Received 'any'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`forward.http.local\` must be a whole number from 1 to 65535.
    Received 0.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': there is no option \`forward.admin.port\`.
    Received port: 8080. Options: local and fallback.
    -> Remove it.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`forward.admin.local\` is missing.
    -> Give a port number.

    devloopfile/invalid at Devloopfile.ts:3:13
    app 'a': \`readiness\` must be 'ignore'.
    Received 'probe'.
    -> Leave it out to wait for the pods' own readiness."
  `)
})
