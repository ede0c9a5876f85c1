// `notify` and the signal of `restart`: what they become in the plan, and what is wrong with them.
import { expect, test } from 'vitest'
import { project } from './project.js'

const devloopfile = (live: string): string => `
import { app, defineDevloop, image, notify, restart, run, sync } from 'devloop'
const a = image('a', {
  live: [
    sync('src', '/app/src'),
${live}
  ],
})
export default defineDevloop({ name: 'shop', resources: [app('a', { image: a })] })
`
const made = (live: string) => project({ Dockerfile: 'FROM scratch', 'Devloopfile.ts': devloopfile(live) })

test('what they become', async () => {
  const one = made(`
    notify({ http: { port: 3000 } }),
    notify({ http: { port: 3000, path: '/r?x=1', method: 'PUT', body: { a: [1] } }, on: 'src/*.html', timeout: 0.5 }),
    notify({ http: { port: 1, body: 'text' } }),
    notify({ signal: 'SIGUSR1' }),
    restart({ on: 'src/a', signal: 'SIGHUP' }),
    restart({ on: 'src/b' }),`)
  const { images } = await one.plan()
  expect(images.a?.live.slice(1).map((rule) => ({ ...rule, at: undefined }))).toEqual([
    { kind: 'notify', how: { kind: 'http', port: 3000, path: '/', method: 'POST' }, on: [], timeoutMs: 10_000, at: undefined },
    {
      kind: 'notify',
      how: { kind: 'http', port: 3000, path: '/r?x=1', method: 'PUT', body: { text: '{"a":[1]}', type: 'application/json' } },
      on: ['src/*.html'],
      timeoutMs: 500,
      at: undefined,
    },
    {
      kind: 'notify',
      how: { kind: 'http', port: 1, path: '/', method: 'POST', body: { text: 'text', type: 'text/plain; charset=utf-8' } },
      on: [],
      timeoutMs: 10_000,
      at: undefined,
    },
    { kind: 'notify', how: { kind: 'signal', signal: 'SIGUSR1' }, on: [], timeoutMs: 10_000, at: undefined },
    { kind: 'restart', on: ['src/a'], signal: 'SIGHUP', at: undefined },
    { kind: 'restart', on: ['src/b'], at: undefined },
  ])
})

test('what is wrong with them', async () => {
  const one = made(`
    notify({} as any),
    notify({ http: { port: 1 }, signal: 'SIGHUP' } as any),
    notify({ http: { path: 'reload' } } as any),
    notify({ http: { port: 70000, method: 'get' } } as any),
    notify({ http: { port: 1, body: 3 } } as any),
    notify({ signal: 'HUP' } as any),
    notify({ signal: 'SIGHUP', timeout: 0 }),
    notify({ signal: 'SIGHUP', when: 'x' } as any),
    restart({ signal: 'SIGTERM' } as any),
    restart({ signal: 1 } as any),`)
  expect(await one.errors()).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:7:5
    notify of image 'a': it needs one way to tell the app.
    Neither \`http\` nor \`signal\` is given.
    -> Give { http: { port: 3000 } } or { signal: 'SIGHUP' }.

    devloopfile/invalid at Devloopfile.ts:8:5
    notify of image 'a': it needs one way to tell the app.
    Both \`http\` and \`signal\` are given.
    -> Give { http: { port: 3000 } } or { signal: 'SIGHUP' }.

    devloopfile/invalid at Devloopfile.ts:9:5
    notify of image 'a': \`http.port\` is missing.
    -> Give a port number.

    devloopfile/invalid at Devloopfile.ts:9:5
    notify of image 'a': \`http.path\` must be a path that begins with a slash, without spaces.
    Received 'reload'.
    -> For instance '/reload'.

    devloopfile/invalid at Devloopfile.ts:10:5
    notify of image 'a': \`http.port\` must be a whole number from 1 to 65535.
    Received 70000.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:10:5
    notify of image 'a': \`http.method\` must be GET, POST, PUT, PATCH, DELETE or HEAD.
    Received 'get'.
    -> Did you mean 'GET'?

    devloopfile/invalid at Devloopfile.ts:11:5
    notify of image 'a': \`http.body\` must be a string, or an object or array that is sent as JSON.
    Received 3.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:12:5
    notify of image 'a': \`signal\` must be 'SIGHUP', 'SIGUSR1', 'SIGUSR2' or 'SIGWINCH'.
    Received 'HUP'.
    -> Did you mean 'SIGHUP'?

    devloopfile/invalid at Devloopfile.ts:13:5
    notify of image 'a': \`timeout\` must be a number of seconds above 0, at most 604800.
    Received 0.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:14:5
    notify of image 'a': there is no option \`when\`.
    Received when: 'x'. Options: on, timeout, http and signal.
    -> Remove it.

    devloopfile/invalid at Devloopfile.ts:15:5
    restart of image 'a': \`signal\` must be 'SIGHUP', 'SIGUSR1', 'SIGUSR2' or 'SIGWINCH'.
    Received 'SIGTERM'.
    -> That one ends a process: use restart(...) without \`signal\` to replace it.

    devloopfile/invalid at Devloopfile.ts:16:5
    restart of image 'a': \`signal\` must be 'SIGHUP', 'SIGUSR1', 'SIGUSR2' or 'SIGWINCH'.
    Received 1.
    -> Correct the value that the error names."
  `)
})

test('a trigger that no sync covers', async () => {
  expect(await made(`    notify({ signal: 'SIGHUP', on: 'conf/**' }),`).errors()).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:6:5
    notify of image 'a': no sync covers 'conf/**', so that a change of it rebuilds instead.
    Synced: 'src'.
    -> Add sync('conf', ...), or correct the path."
  `)
})
