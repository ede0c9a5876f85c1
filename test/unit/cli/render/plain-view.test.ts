import { describe, expect, it } from 'vitest'
import { createPlainView } from '../../../../src/cli/render/plain-view.js'
import { createFakeClient, type FakeClient } from '../fake-client.js'
import { buildError, change, endpoint, line, resource, session } from '../views.js'

function start(): { client: FakeClient; told: () => string; close: () => void } {
  const client = createFakeClient()
  let text = ''
  const view = createPlainView(client, { write: (chunk: string | Uint8Array) => ((text += String(chunk)), true) })
  const told = (): string => {
    const result = text
    text = ''
    return result
  }
  return { client, told, close: view.close }
}

describe('createPlainView', () => {
  it('tells a start as it goes', () => {
    const { client, told } = start()
    client.update([
      session({
        devloopfile: { file: '/p/D.ts', state: 'loading', generation: 0 },
        runtime: { kind: 'kubernetes', state: 'connecting' },
      }),
    ])
    client.update([
      session(),
      resource('db', { status: 'updating', activity: 'deploying' }),
      resource('api', { status: 'pending', hold: { code: 'needs', message: 'it needs db' } }),
    ])
    client.update([
      resource('db', { endpoints: [endpoint(5432)] }),
      resource('api', { status: 'updating', activity: 'building shop/api' }),
    ])
    client.say([line('db', 'ready to accept connections')])
    client.update([resource('api', { status: 'updating', activity: 'pushing shop/api' })])
    client.update([session({ ready: true }), resource('api', { endpoints: [endpoint(8080)] })])
    expect(told()).toMatchInlineSnapshot(`
      "Devloopfile: plan 1 is in force
      devloop: connected to kind-dev/dev-ann
      db: updating
      api: pending: it needs db
      db: ready at http://localhost:5432
      api: updating
      db │ ready to accept connections
      api: ready at http://localhost:8080
      problems begin
      problems end: 0
      devloop: all resources are ready
      "
    `)
  })

  it('tells an error once, and what is known of it later after it', () => {
    const { client, told } = start()
    const error = { code: 'pod/crashed', message: 'main ended with exit code 5 (pod a-1).', help: 'Read its log.' } as const
    const failed = (why?: string, of: string = error.message) =>
      resource('api', { status: 'failed', ready: false, error: { ...error, message: of, ...(why === undefined ? {} : { why }) } })
    client.update([session(), failed()])
    client.update([failed()])
    client.update([failed('It said last:\nno such table')])
    client.update([failed('It said last:\nno such table', 'main ended with exit code 5 (pod a-2).')])
    // another try that ends alike is told again
    client.update([resource('api', { status: 'starting', ready: false })])
    client.update([failed('It said last:\nno such table', 'main ended with exit code 5 (pod a-2).')])
    expect(told()).toMatchInlineSnapshot(`
      "Devloopfile: plan 1 is in force
      devloop: connected to kind-dev/dev-ann
      api: failed: main ended with exit code 5 (pod a-1). [pod/crashed]
        Read its log.
      problems begin
      problems end: 0
      api: It said last:
        no such table
      api: failed: main ended with exit code 5 (pod a-2). [pod/crashed]
        It said last:
        no such table
        Read its log.
      api: starting
      api: failed: main ended with exit code 5 (pod a-2). [pod/crashed]
        It said last:
        no such table
        Read its log.
      "
    `)
  })

  it('begins and ends each change with a line of its own, and says no more of a sync than that', () => {
    const { client, told } = start()
    client.update([session({ ready: true }), resource('api')])
    told()
    client.update([change('c1'), session(), resource('api', { status: 'updating', activity: 'syncing' })])
    client.update([
      session({ ready: true }),
      resource('api', { lastChange: { id: 'c1', at: 1000, outcome: 'live', liveMs: 24 } }),
      change('c1', { outcome: 'live', liveMs: 24 }),
    ])
    expect(told()).toBe('change c1 begins: services/api/src/server.js\nchange c1 ends: live in 24 ms\n')
  })

  describe('lists what is wrong at a known place', () => {
    const syntax = {
      code: 'devloopfile/syntax',
      message: 'Expected ";"\nbut found "}"',
      where: { file: '/p/D.ts', line: 3, column: 7 },
      help: 'Correct it.',
    } as const
    const broken = session({ devloopfile: { file: '/p/D.ts', state: 'failed', generation: 1, error: syntax } })
    const failed = resource('api', { status: 'failed', ready: false, error: buildError })
    const blocks = (text: string): string[] =>
      text.match(/^(?:problems begin\n[^]*?problems end: .*|change \S+ \w+: .*)$/gm) ?? []

    it('whole, each time that the list changes', () => {
      const { client, told } = start()
      client.update([session(), resource('api', { status: 'starting', ready: false })])
      expect(told()).not.toContain('problems')
      client.update([session({ ready: true }), resource('api')])
      expect(told()).toContain('\nproblems begin\nproblems end: 0\n')
      client.update([failed])
      client.update([{ ...failed, since: 5 }])
      client.update([broken])
      client.update([session({ ready: true }), resource('api')])
      expect(blocks(told())).toEqual([
        `problems begin\n/p/services/api/Dockerfile:7:1: error: api: ${buildError.message} [build/failed]\nproblems end: 1`,
        `problems begin\n/p/D.ts:3:7: error: Devloopfile: Expected ";" but found "}" [devloopfile/syntax]\n/p/services/api/Dockerfile:7:1: error: api: ${buildError.message} [build/failed]\nproblems end: 2`,
        'problems begin\nproblems end: 0',
      ])
    })

    it('again at the end of a change that mends nothing, and not twice for one that breaks something', () => {
      const { client, told } = start()
      client.update([session(), failed])
      told()
      client.update([change('c1')])
      client.update([change('c1', { outcome: 'live', liveMs: 24 })])
      client.update([change('c2'), broken])
      client.update([change('c2', { outcome: 'failed' })])
      const found = blocks(told()).map((block) => block.split('\n').at(-1))
      expect(found).toEqual([
        'change c1 begins: services/api/src/server.js',
        'problems end: 1',
        'change c1 ends: live in 24 ms',
        'change c2 begins: services/api/src/server.js',
        'problems end: 2',
        'change c2 ends: failed',
      ])
    })
  })

  it('begins and ends a change that was over when it was told', () => {
    const { client, told } = start()
    client.update([change('c1', { outcome: 'live', liveMs: 24, pathCount: 1000, paths: ['a', 'b'] })])
    expect(told()).toBe('change c1 begins: 1000 paths\nchange c1 ends: live in 24 ms\n')
  })

  it('says nothing of a change that concerns nobody', () => {
    const { client, told } = start()
    client.update([change('c1', { outcome: 'nothing' })])
    expect(told()).toBe('')
  })

  it('puts the errors of a change between its begin and its end', () => {
    const { client, told } = start()
    client.update([session({ ready: true }), resource('api')])
    told()
    client.update([session(), change('c1'), resource('api', { status: 'updating', activity: 'building shop/api' })])
    client.update([resource('api', { status: 'failed', error: buildError }), change('c1', { outcome: 'failed' })])
    client.update([resource('api', { status: 'failed', error: buildError, since: 5 })])
    client.update([session({ ready: true }), resource('api'), change('c1', { outcome: 'live', liveMs: 65_000 })])
    expect(told()).toMatchInlineSnapshot(`
      "change c1 begins: services/api/src/server.js
      api: updating
      api: failed: shop/api could not be built: RUN npm ci failed with exit code 1 [build/failed]
        at /p/services/api/Dockerfile:7
        npm error code ENOENT
        npm error path /app/package.json
        npm error errno -2
        Correct the Dockerfile line, or the source that it compiles.
      problems begin
      /p/services/api/Dockerfile:7:1: error: api: shop/api could not be built: RUN npm ci failed with exit code 1 [build/failed]
      problems end: 1
      change c1 ends: failed
      api: ready
      problems begin
      problems end: 0
      change c1 ends: live in 1 min 5 s
      devloop: all resources are ready
      "
    `)
  })

  it('tells warnings of the session as such, again when they come back', () => {
    const { client, told } = start()
    const rights = { code: 'cluster/rights', message: '1 right is missing.', why: 'get pods/log', help: 'Ask for it.' } as const
    client.update([session({ warnings: [rights] })])
    client.update([session({ warnings: [rights], pid: 2 })])
    client.update([session()])
    client.update([session({ warnings: [rights] })])
    const text = 'devloop: warning: 1 right is missing. [cluster/rights]\n  get pods/log\n  Ask for it.\n'
    expect(told()).toBe(
      `Devloopfile: plan 1 is in force\ndevloop: connected to kind-dev/dev-ann\n${text}devloop: [cluster/rights] is over\n${text}`,
    )
  })

  it('tells problems when they come and when they go', () => {
    const { client, told } = start()
    const limit = { code: 'watch/limit', message: 'no more watches', help: 'Raise it.' } as const
    const syntax = {
      code: 'devloopfile/syntax',
      message: 'Expected ";"',
      where: { file: '/p/D.ts', line: 3, column: 7 },
      help: 'Correct it.',
    } as const
    client.update([session({ problems: [limit] })])
    client.update([session({ problems: [limit], pid: 2 })])
    client.update([session({ runtime: { kind: 'kubernetes', state: 'lost', context: 'kind-dev' } })])
    client.update([session({ devloopfile: { file: '/p/D.ts', state: 'failed', generation: 1, error: syntax } })])
    client.update([session({ problems: [limit], devloopfile: { file: '/p/D.ts', state: 'ok', generation: 2 } })])
    expect(told()).toMatchInlineSnapshot(`
      "Devloopfile: plan 1 is in force
      devloop: connected to kind-dev/dev-ann
      devloop: failed: no more watches [watch/limit]
        Raise it.
      problems begin
      problems end: 0
      devloop: the connection to kind-dev is lost
      devloop: [watch/limit] is over
      Devloopfile: failed: Expected ";" [devloopfile/syntax]
        at /p/D.ts:3:7
        Correct it.
      devloop: connected to kind-dev/dev-ann
      problems begin
      /p/D.ts:3:7: error: Devloopfile: Expected ";" [devloopfile/syntax]
      problems end: 1
      Devloopfile: plan 2 is in force
      devloop: failed: no more watches [watch/limit]
        Raise it.
      problems begin
      problems end: 0
      "
    `)
  })

  it('tells warnings once, ports that are taken, resources that leave, and gaps in the log', () => {
    const { client, told } = start()
    const warning = { code: 'sync/no-shell', message: 'shop/api has no shell', help: 'Use another base image.' } as const
    const taken = { code: 'forward/port-taken', message: 'port 8080 of this machine is in use', help: 'Free it.' } as const
    for (const since of [1, 2])
      client.update([
        resource('api', { since, warnings: [warning], endpoints: [{ ...endpoint(8080), state: 'failed', error: taken }] }),
      ])
    client.update([], [{ kind: 'resource', name: 'api' }])
    client.say([line('api', 'bye \x1b[2J')], 12)
    expect(told()).toMatchInlineSnapshot(`
      "api: ready at http://localhost:8080
      api: warning: shop/api has no shell [sync/no-shell]
        Use another base image.
      api: http://localhost:8080: port 8080 of this machine is in use [forward/port-taken]
        Free it.
      problems begin
      problems end: 0
      api: removed
      … 12 lines are missing here
      api │ bye 
      "
    `)
  })

  it('writes no control characters', () => {
    const { client, told } = start()
    client.update([
      session({ runtime: { kind: 'kubernetes', state: 'connected', context: 'a\x1b[2J' } }),
      resource('api', { status: 'pending', hold: { code: 'image', message: 'of x\x1b[2J' } }),
      change('c1', { paths: ['two\nlines\x1b[2J'] }),
    ])
    // oxlint-disable-next-line no-control-regex
    expect(told()).not.toMatch(/[\x00-\x09\x0b-\x1f]/)
  })

  it('listens no more when it is closed', () => {
    const { client, close } = start()
    expect(client.listening()).toBe(2)
    close()
    expect(client.listening()).toBe(0)
  })

  it('leaves out what nobody reads in time, the log first, and tells how much', () => {
    const client = createFakeClient()
    let [text, waiting] = ['', 0]
    const out = { write: (chunk: string) => (text += chunk), get waiting() { return waiting } } // prettier-ignore
    createPlainView(client, out)
    waiting = 2_000_000
    client.say([line('web', 'one'), line('web', 'two')])
    client.update([resource('web', { status: 'updating', activity: 'deploying' })])
    waiting = 20_000_000
    client.update([resource('web', {})])
    client.say([line('web', 'three')])
    waiting = 0
    client.say([line('web', 'four')])
    expect(text).toMatchInlineSnapshot(`
      "… 2 lines are missing here
      web: updating
      … 2 lines are missing here
      web │ four
      "
    `)
  })
})
