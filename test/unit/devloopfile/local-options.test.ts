// Readiness and restart of local commands, and the settings of `devloop ci`.
import { expect, test } from 'vitest'
import type { LocalSpec } from '../../../src/model/plan.js'
import { devloopfile, project } from './project.js'

const planOf = async (resources: string) => (await project({ 'Devloopfile.ts': devloopfile('', resources) }).plan()).resources
const errorsOf = (resources: string) => project({ 'Devloopfile.ts': devloopfile('', resources) }).errors()

test('a port alone means that it accepts connections, and nothing at all that it is started', async () => {
  const made = await planOf(`local('a', { serve: 'x', port: 5173 }), local('b', { serve: 'x' }), local('c', { run: 'x' })`)
  expect((made.a as LocalSpec).ready).toEqual({
    check: { kind: 'tcp', port: 5173 },
    delayMs: 0,
    periodMs: 10_000,
    timeoutMs: 5000,
    successes: 1,
    failures: 3,
    withinMs: 60_000,
  })
  expect(made).toMatchObject({ a: { port: 5173, restart: 'never' } })
  expect([(made.b as LocalSpec).ready, (made.c as LocalSpec).ready]).toEqual([undefined, undefined])
})

test('each way of asking, with its options', async () => {
  const made = await planOf(`
    local('http', { serve: 'x', port: 80, ready: { http: '/healthz?x=1', delay: 0.5, period: 2, timeout: 1, successes: 2, failures: 5, within: 9 } }),
    local('address', { serve: 'x', ready: { http: 'https://localhost:8443/up' }, restart: 'always' }),
    local('tcp', { serve: 'x', port: 82, ready: { tcp: 81 }, restart: 'on-failure' }),
    local('exec', { serve: 'x', ready: { exec: ['pg_isready', '-q'] } }),
    local('log', { serve: 'x', ready: { log: 'listening on .*:\\\\d+' } }),
  `)
  const checkOf = (name: string) => (made[name] as LocalSpec).ready?.check
  expect((made.http as LocalSpec).ready).toEqual({
    check: { kind: 'http', url: 'http://127.0.0.1/healthz?x=1' },
    delayMs: 500,
    periodMs: 2000,
    timeoutMs: 1000,
    successes: 2,
    failures: 5,
    withinMs: 9000,
  })
  expect(checkOf('address')).toEqual({ kind: 'http', url: 'https://localhost:8443/up' })
  expect(checkOf('tcp')).toEqual({ kind: 'tcp', port: 81 })
  expect(checkOf('exec')).toEqual({ kind: 'exec', command: ['pg_isready', '-q'] })
  expect(checkOf('log')).toEqual({ kind: 'log', pattern: 'listening on .*:\\d+' })
  expect(made).toMatchObject({ address: { restart: 'always' }, tcp: { restart: 'on-failure', port: 82 } })
})

test('what is wrong with them', async () => {
  expect(
    await errorsOf(`
    local('a', { serve: 'x', ready: {} as never }),
    local('b', { serve: 'x', port: 80, ready: { http: '/', tcp: 80 } as never }),
    local('c', { serve: 'x', ready: { http: '/healthz' } }),
    local('d', { serve: 'x', ready: { http: 'localhost:80' } }),
    local('e', { serve: 'x', ready: { log: '(' } }),
    local('f', { serve: 'x', ready: { tcp: 80, period: 0, failures: 0, within: 1e9 } }),
    local('g', { run: 'x', ready: { tcp: 80 }, restart: 'always' }),
    local('h', { serve: 'x', restart: 'sometimes' as never }),
    local('i', { serve: 'x', ready: { exec: '' } }),
    local('j', { serve: 'x', ready: '/healthz' as never })`),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:5:5
    local 'a': \`ready\` needs one of \`http\`, \`tcp\`, \`exec\`, \`log\`.
    -> For instance: ready: { http: '/healthz' }

    devloopfile/invalid at Devloopfile.ts:6:5
    local 'b': \`ready\` needs one of \`http\`, \`tcp\`, \`exec\`, \`log\`, not 2 of them.
    -> For instance: ready: { http: '/healthz' }

    devloopfile/invalid at Devloopfile.ts:7:5
    local 'c': \`ready.http\` is a path, and there is no \`port\` that it could be asked on.
    -> Give \`port\`, or a whole address.

    devloopfile/invalid at Devloopfile.ts:8:5
    local 'd': \`ready.http\` must be a path such as '/healthz', or an address with http:// or https://.
    Received 'localhost:80'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:9:5
    local 'e': \`ready.log\` is not a regular expression.
    Received '('. Invalid regular expression: /(/u: Unterminated group
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:10:5
    local 'f': \`ready.period\` must be a number of seconds above 0, at most 604800.
    Received 0.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:10:5
    local 'f': \`ready.failures\` must be a whole number from 1 to 1000.
    Received 0.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:10:5
    local 'f': \`ready.within\` must be a number of seconds above 0, at most 604800.
    Received 1000000000.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:11:5
    local 'g': \`ready\` is for \`serve\`: a \`run\` ends.
    -> Remove \`ready\`, or use \`serve\`.

    devloopfile/invalid at Devloopfile.ts:11:5
    local 'g': \`restart\` is for \`serve\`: a \`run\` ends.
    -> Remove \`restart\`, or use \`serve\`.

    devloopfile/invalid at Devloopfile.ts:12:5
    local 'h': \`restart\` must be 'always', 'on-failure' or 'never'.
    Received 'sometimes'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:13:5
    local 'i': \`ready.exec\` must be a command: a string, or an array of strings.
    Received ''.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:14:5
    local 'j': \`ready\` must be an object.
    Received '/healthz'.
    -> Options: http, tcp, exec, log, delay, period, timeout, successes, failures and within."
  `)
})

test('the setting for the agent', async () => {
  const text = (agent: string): string => devloopfile('').replace("name: 'shop',", `name: 'shop', settings: { agent: ${agent} },`)
  expect((await project({ 'Devloopfile.ts': text('false') }).plan()).settings.agent).toBe(false)
  expect(await project({ 'Devloopfile.ts': text(`'no' as never`) }).errors()).toContain(
    "`settings.agent` must be true or false.\nReceived 'no'.",
  )
})

test('the settings of ci', async () => {
  const text = (settings: string): string => devloopfile('').replace("name: 'shop',", `name: 'shop', settings: ${settings},`)
  expect((await project({ 'Devloopfile.ts': text('{}') }).plan()).settings).toMatchObject({
    ci: { timeoutMs: 1_800_000, readinessTimeoutMs: 300_000, graceMs: 0 },
    agent: true,
  })
  const given = await project({ 'Devloopfile.ts': text('{ ci: { timeout: 90, readinessTimeout: 1.5, grace: 10 } }') }).plan()
  expect(given.settings.ci).toEqual({ timeoutMs: 90_000, readinessTimeoutMs: 1500, graceMs: 10_000 })
  expect(
    await project({
      'Devloopfile.ts': text(`{ ci: { timeout: '90s' as never, grace: -1, readyTimeout: 1 } as never }`),
    }).errors(),
  ).toMatchInlineSnapshot(`
    "devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: there is no option \`settings.ci.readyTimeout\`.
    Received readyTimeout: 1. Options: timeout, readinessTimeout and grace.
    -> Did you mean 'readinessTimeout'?

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`settings.ci.timeout\` must be a number of seconds above 0, at most 604800.
    Received '90s'.
    -> Correct the value that the error names.

    devloopfile/invalid at Devloopfile.ts:2:16
    The Devloopfile: \`settings.ci.grace\` must be a number of seconds from 0, at most 604800.
    Received -1.
    -> Correct the value that the error names."
  `)
})
