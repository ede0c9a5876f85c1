import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LogLine } from '../../../../src/ports/runtime.js'
import { waitFor } from '../../../support/wait-for.js'
import { at, createHarness, file, literal, never, serverSource, type Harness } from './harness.js'
import { plainGraph } from '../../../support/plain-graph.js'

let one: Harness
beforeEach(async () => {
  one = await createHarness()
  one.write('src/server.js', serverSource)
  one.write('src/greeting.txt', 'hello')
})
afterEach(() => one.close())

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
const until = (what: string, condition: () => unknown): Promise<unknown> =>
  waitFor(condition, { what, timeoutMs: 10_000, everyMs: 5 })

describe('an app in the process runtime', () => {
  it('starts, becomes ready and answers', async () => {
    const { templates, objects } = await one.deploy(one.app(), await one.build())
    expect(objects).toEqual(['process/api'])
    const { pods } = await one.ready('api')
    expect(pods).toMatchObject([
      {
        phase: 'running',
        ready: true,
        template: templates[0],
        containers: [{ name: 'api', image: 'shop/api', running: true, restartable: true, restarts: 0 }],
      },
    ])
    expect(await one.fetch('api')).toBe('hello')
    expect(await one.runtime.deployed(never)).toEqual(['api'])
  })

  it('serves a synced file after a restart that keeps pod, container and port', async () => {
    const record = await one.build()
    await one.deploy(one.app(), record)
    const before = await one.ready('api')
    const [pid, port] = [await one.fetch('api', '/pid'), await one.fetch('api', '/env/PORT')]
    const session = await one.session('api')
    await session.apply([file('/app/src/greeting.txt', 'good day')], never)
    await session.restart(never)
    expect(await one.fetch('api')).toBe('good day')
    expect(await one.fetch('api', '/env/PORT')).toBe(port)
    expect(await one.fetch('api', '/pid')).not.toBe(pid)
    const after = await one.ready('api')
    expect(after.pods[0]).toMatchObject({
      name: before.pods[0]?.name,
      uid: before.pods[0]?.uid,
      containers: [{ containerId: before.pods[0]?.containers[0]?.containerId, restarts: 0 }],
    })
    expect(alive(Number(pid))).toBe(false)
  })

  it('is left alone by a deploy of the same, and replaced when what it depends on changes', async () => {
    const record = await one.build()
    await one.deploy(one.app(), record)
    await one.ready('api')
    const pid = await one.fetch('api', '/pid')
    await one.deploy(one.app({ needs: ['db'], forward: [{ local: 1, port: 'http' }] }), record)
    expect(await one.fetch('api', '/pid')).toBe(pid)
    const container = one.observed.get('api')?.pods[0]?.containers[0]?.containerId
    const { templates } = await one.deploy(one.app({ env: { COLOUR: literal('blue') } }), record)
    const next = await one.ready('api')
    expect(next.pods).toMatchObject([{ template: templates[0], containers: [{ containerId: container }] }])
    expect(await one.fetch('api', '/env/COLOUR')).toBe('blue')
    const other = await one.deploy(one.app({ env: { COLOUR: literal('blue') } }), await one.build())
    expect(other.templates).not.toEqual(templates)
    expect((await one.ready('api')).pods[0]?.containers[0]?.containerId).not.toBe(container)
  })

  it('is started again with a growing pause when it ends by itself, and at once when somebody asks', async () => {
    const record = await one.build()
    await one.deploy(one.app(), record)
    await one.ready('api')
    const session = await one.session('api')
    await session.apply([file('/app/src/greeting.txt', 'crash')], never)
    await session.restart(never)
    await until('a crash', () => one.observed.get('api')?.error)
    const crashed = one.observed.get('api')
    expect(crashed).toMatchObject({
      rolledOut: false,
      error: { code: 'app/exited', message: 'The process of api ended with exit code 3.', why: 'bad greeting' },
      // its files can still be written
      pods: [{ phase: 'failed', ready: false, containers: [{ running: true, error: { code: 'app/exited' } }] }],
    })
    expect(crashed?.message).toContain('started again in 1 s')
    await until('an automatic start', () => one.observed.get('api')?.pods[0]?.containers[0]?.restarts === 1)
    await until('a second pause', () => one.observed.get('api')?.message?.includes('started again in 2 s'))
    await session.apply([file('/app/src/greeting.txt', 'mended')], never)
    await session.restart(never)
    expect(await one.fetch('api')).toBe('mended')
    const mended = await one.ready('api')
    expect(mended.error).toBeUndefined()
    expect(mended.pods[0]?.containers[0]).toMatchObject({ restarts: 1 })
  })

  it('comes back by itself after a crash', async () => {
    await one.deploy(one.app(), await one.build())
    await one.ready('api')
    const pid = await one.fetch('api', '/pid')
    process.kill(Number(pid), 'SIGKILL')
    await until('the end', () => one.observed.get('api')?.error?.message.includes('SIGKILL'))
    await one.ready('api')
    expect(await one.fetch('api', '/pid')).not.toBe(pid)
  })

  it('ends with everything it started', async () => {
    one.write('src/family.js', `console.log('child ' + require('child_process').spawn('sleep', ['1000']).pid)`)
    await one.deploy(one.app({ ports: {}, process: { command: 'node src/family.js; sleep 1000' } }), await one.build())
    const { pods } = await one.ready('api')
    const lines: LogLine[] = []
    const stop = new AbortController()
    const target = {
      containerId: pods[0]?.containers[0]?.containerId ?? '',
      namespace: '',
      pod: pods[0]?.name ?? '',
      container: 'api',
    }
    const followed = one.runtime.logs({ target, since: 0 }, (line) => lines.push(line), stop.signal)
    await until('a line', () => lines.some((line) => line.text.startsWith('child')))
    const child = Number(lines[0]?.text.split(' ')[1])
    expect(alive(child)).toBe(true)
    expect(await one.runtime.remove('api', never)).toEqual(['process/api'])
    await until('the end of the grandchild', () => !alive(child))
    await followed
    expect(one.observed.get('api')?.pods).toEqual([])
    expect(await one.runtime.deployed(never)).toEqual([])
    expect(await one.runtime.remove('api', never)).toEqual([])
  })

  it('is gone when the runtime is closed', async () => {
    await one.deploy(one.app(), await one.build())
    await one.ready('api')
    const pid = Number(await one.fetch('api', '/pid'))
    await one.runtime.close()
    expect(alive(pid)).toBe(false)
  })

  it('runs in a folder of its own when its image is not built by devloop', async () => {
    await one.deploy(one.app({ name: 'db', image: { ref: 'postgres:16' }, ports: {}, process: { command: 'pwd; sleep 1000' } }))
    const { pods } = await one.ready('db')
    expect(pods[0]?.containers[0]).toMatchObject({ image: undefined, ref: 'postgres:16' })
    expect(existsSync(join(one.stateDir, 'app', 'db'))).toBe(true)
  })
})

describe('the environment of an app', () => {
  it('has the addresses of others, ports, generated values, and what this process has', async () => {
    process.env.DEVLOOP_INTERNAL = 'x'
    process.env.OF_THE_USER = 'mine'
    await one.reopen()
    delete process.env.DEVLOOP_INTERNAL
    delete process.env.OF_THE_USER
    const record = await one.build()
    const web = one.app({ name: 'web', ports: { http: 80, admin: 9000 } })
    const api = one.app({
      env: {
        WEB: [
          { kind: 'literal', text: 'http://' },
          { kind: 'address', resource: 'web', part: 'address' },
        ],
        ADMIN_HOST: [{ kind: 'address', resource: 'web', port: 'admin', part: 'host' }],
        ADMIN_PORT: [{ kind: 'address', resource: 'web', port: 'admin', part: 'port' }],
        PASSWORD: [{ kind: 'generated', name: 'db' }],
        AGAIN: [{ kind: 'generated', name: 'db' }],
      },
    })
    await one.deploy(api, record, [web])
    await one.ready('api')
    const get = (name: string): Promise<string> => one.fetch('api', `/env/${name}`)
    const webAddress = await get('WEB')
    expect(await get('ADMIN_HOST')).toBe('127.0.0.1')
    expect(await get('PASSWORD')).toMatch(/^[A-Za-z0-9]{32}$/)
    expect(await get('AGAIN')).toBe(await get('PASSWORD'))
    expect(await get('PORT_HTTP')).toBe(await get('PORT'))
    expect(await get('OF_THE_USER')).toBe('mine')
    expect(await get('DEVLOOP_INTERNAL')).toBe('undefined')
    await one.deploy(web, record, [api])
    await one.ready('web')
    expect(webAddress).toBe(`http://127.0.0.1:${await one.fetch('web', '/env/PORT')}`)
    expect(await get('ADMIN_PORT')).toBe(await one.fetch('web', '/env/PORT_ADMIN'))
    expect(await (await fetch(webAddress)).text()).toBe('hello')
  })

  it('lets the app listen where this machine has room, though the Devloopfile sets PORT for the container', async () => {
    await one.deploy(one.app({ env: { PORT: literal('8080'), PORT_HTTP: literal('other') } }), await one.build())
    await one.ready('api')
    expect(Number(await one.fetch('api', '/env/PORT'))).not.toBe(8080)
    expect(await one.fetch('api', '/env/PORT_HTTP')).toBe('other')
  })

  it('tries the links that lead to others', async () => {
    const record = await one.build()
    const from = { containerId: '', namespace: '', pod: '', container: 'api' }
    const link = { to: 'web', portName: 'http', host: 'web', port: 80 }
    expect(await one.runtime.reach(from, link, never)).toEqual({ state: 'failed', step: 'tcp', why: 'nothing of web runs' })
    await one.deploy(one.app({ name: 'web', ports: { http: 80, admin: 9000 } }), record)
    await one.ready('web')
    expect(await one.runtime.reach(from, link, never)).toEqual({ state: 'ok' })
    expect(await one.runtime.reach(from, { ...link, portName: 'admin' }, never)).toMatchObject({
      state: 'failed',
      why: expect.stringMatching(/^nothing accepts connections on 127\.0\.0\.1:\d+$/) as string,
    })
    await expect(one.runtime.reach(from, { ...link, portName: 'admin' }, AbortSignal.abort())).rejects.toMatchObject({
      name: 'AbortError',
    })
  })

  it('says what is wrong with an address', async () => {
    const api = one.app({ env: { DB: [{ kind: 'address', resource: 'db', part: 'address' }] } })
    await expect(one.deploy(api, await one.build(), [one.app({ name: 'db', ports: {} })])).rejects.toMatchObject({
      code: 'app/start',
      message: 'api asks for the address of db, which has not a port.',
    })
  })

  it('gives the same ports after a restart of devloop', async () => {
    const record = await one.build()
    await one.deploy(one.app(), record)
    await one.ready('api')
    const port = await one.fetch('api', '/env/PORT')
    await one.reopen()
    await one.deploy(one.app(), record)
    await one.ready('api')
    expect(await one.fetch('api', '/env/PORT')).toBe(port)
  })
})

describe('prepare', () => {
  const app = (prepare: string) => one.app({ process: { prepare, command: ['node', 'src/server.js'] } })

  it('runs once per stage, in the working folder, before the start, and after a restart of devloop not again', async () => {
    const record = await one.build()
    const prepared = app('echo preparing; echo x >> count')
    await one.deploy(prepared, record)
    const { pods } = await one.ready('api')
    expect(await one.fetch('api', '/file/count')).toBe('x\n')
    const lines: string[] = []
    const stop = new AbortController()
    const target = {
      containerId: pods[0]?.containers[0]?.containerId ?? '',
      namespace: '',
      pod: pods[0]?.name ?? '',
      container: 'api',
    }
    const followed = one.runtime.logs(
      { target, since: pods[0]?.containers[0]?.startedAt ?? 0 },
      (line) => lines.push(line.text),
      stop.signal,
    )
    expect(lines[0]).toBe('preparing')
    stop.abort()
    await followed
    await one.deploy({ ...prepared, env: { A: literal('b') } }, record)
    await one.reopen()
    await one.deploy(prepared, record)
    await one.ready('api')
    expect(await one.fetch('api', '/file/count')).toBe('x\n')
    await one.deploy(prepared, await one.build())
    await one.ready('api')
    expect(await one.fetch('api', '/file/count')).toBe('x\n')
  })

  it('tells the end of its output when it fails, keeps the old process, and is tried again', async () => {
    const record = await one.build()
    await one.deploy(app('true'), record)
    await one.ready('api')
    const pid = await one.fetch('api', '/pid')
    const next = await one.build()
    await expect(one.deploy(app('echo no network; test -e ../ok'), next)).rejects.toMatchObject({
      code: 'app/prepare',
      info: { why: 'no network' },
    })
    expect(await one.fetch('api', '/pid')).toBe(pid)
    expect(one.observed.get('api')?.pods.length).toBe(1)
    mkdirSync(join(next.ref, 'ok'))
    await one.deploy(app('echo no network; test -e ../ok'), next)
    await one.ready('api')
    expect(await one.fetch('api', '/pid')).not.toBe(pid)
  })

  it('is seen as pending while it runs, with the old process serving', async () => {
    const record = await one.build()
    await one.deploy(app('true'), record)
    await one.ready('api')
    const gate = join(one.dir, 'gate')
    const deployed = one.deploy(app(`while ! test -e ${gate}; do sleep 0.02; done`), await one.build())
    // there is a second pod before its command runs
    await until('a second pod that is prepared', () => one.observed.get('api')?.message?.includes('prepares: while'))
    expect(one.observed.get('api')?.rolledOut).toBe(false)
    expect(one.observed.get('api')?.pods.map((pod) => pod.phase)).toEqual(['running', 'pending'])
    mkdirSync(gate)
    await deployed
    expect((await one.ready('api')).pods.length).toBe(1)
  })

  it('ends with the runtime', async () => {
    const deployed = one.deploy(app('echo $$ > pid; sleep 1000'), await one.build())
    const failed = deployed.catch((thrown: unknown) => thrown)
    const stage = await waitFor(() => one.observed.get('api')?.pods[0]?.containers[0]?.ref, { what: 'a pod', everyMs: 5 })
    const pid = await waitFor(() => Number(readFileSync(join(stage, 'app/pid'), 'utf8')), { what: 'the pid', everyMs: 5 })
    await one.runtime.close()
    expect(await failed).toMatchObject({ name: 'AbortError' })
    expect(alive(pid)).toBe(false)
  })

  it('runs once for two apps that share an image, whoever comes first', async () => {
    const record = await one.build()
    const both = [app('echo x >> count'), { ...app('echo x >> count'), name: 'web' }]
    await Promise.all(both.map((each) => one.deploy(each, record)))
    await one.ready('api')
    await one.ready('web')
    expect(await one.fetch('web', '/file/count')).toBe('x\n')
    const ids = both.map((each) => one.observed.get(each.name)?.pods[0]?.containers[0]?.containerId)
    expect(new Set(ids).size).toBe(2)
  })
})

describe('what can go wrong', () => {
  it('a command that does not exist, before the old process is stopped', async () => {
    const record = await one.build()
    await one.deploy(one.app(), record)
    await one.ready('api')
    const pid = await one.fetch('api', '/pid')
    await expect(one.deploy(one.app({ process: { command: ['no-such-command'] } }), record)).rejects.toMatchObject({
      code: 'app/start',
      message: 'api could not be started: there is no command `no-such-command`.',
    })
    expect(await one.fetch('api', '/pid')).toBe(pid)
  })

  it('a stage folder that is gone', async () => {
    const record = await one.build()
    await one.deploy(one.app(), record)
    await one.ready('api')
    const session = await one.session('api')
    rmSync(record.ref, { recursive: true })
    await expect(session.apply([file('/app/src/greeting.txt', 'x')], never)).rejects.toMatchObject({ code: 'sync/disconnected' })
    await expect(session.inspect(['/app/src/greeting.txt'], never)).rejects.toMatchObject({ code: 'sync/disconnected' })
    await expect(session.restart(never)).rejects.toMatchObject({ code: 'restart/failed' })
    expect(one.observed.get('api')?.error).toMatchObject({ code: 'app/start' })
    await expect(one.deploy(one.app({ env: { A: literal('b') } }), record)).rejects.toMatchObject({
      code: 'app/start',
      message: expect.stringContaining('are gone') as string,
    })
  })

  it('a port that another program took, until it lets go', async () => {
    const record = await one.build()
    await one.deploy(one.app(), record)
    await one.ready('api')
    const port = Number(await one.fetch('api', '/env/PORT'))
    const { templates } = await one.deploy(one.app({ process: { command: ['sleep', '1000'] } }), record)
    await until('the swap', () => one.observed.get('api')?.pods[0]?.template === templates[0])
    const thief = createServer()
    await new Promise<void>((resolve) => thief.listen(port, '127.0.0.1', resolve))
    await one.deploy(one.app(), record)
    await until('the error', () => one.observed.get('api')?.error)
    expect(one.observed.get('api')?.error).toMatchObject({
      code: 'app/start',
      message: `api was not started: another program listens on 127.0.0.1:${port}, where api should.`,
    })
    await new Promise((resolve) => thief.close(resolve))
    await one.ready('api')
    expect(await one.fetch('api')).toBe('hello')
  })

  it('what cannot run here at all', async () => {
    const { process: _, ...clusterOnly } = one.app()
    await expect(one.deploy(clusterOnly)).rejects.toMatchObject({
      code: 'app/start',
      message: expect.stringContaining('an app without `process`') as string,
    })
    const manifests = { kind: 'manifests', name: 'legacy', objects: [], images: [], ...plainGraph, forward: [], at } as const
    await expect(
      one.runtime.deploy({ resource: manifests, images: {}, restartable: new Set(), apps: {} }, never),
    ).rejects.toMatchObject({ code: 'app/start' })
    await expect(one.runtime.dial({ namespace: '', name: 'nobody' }, 80, never)).rejects.toMatchObject({ code: 'forward/failed' })
  })

  it('an app that never listens is not ready, and says where it should', async () => {
    await one.deploy(one.app({ process: { command: ['sleep', '1000'] } }), await one.build())
    await until('the message', () => one.observed.get('api')?.message?.includes('accepts connections on 127.0.0.1:'))
    const pod = one.observed.get('api')?.pods[0]
    expect(pod?.ready).toBe(false)
    await expect(one.runtime.dial({ namespace: '', name: pod?.name ?? '' }, 8080, never)).rejects.toMatchObject({
      code: 'forward/refused',
    })
  })
})

describe('a session', () => {
  it('never writes where a symbolic link leads out', async () => {
    one.link('src/out', one.dir)
    one.write('lib/x', 'x')
    one.link('src/lib', '../lib')
    await one.deploy(one.app(), await one.build())
    await one.ready('api')
    const session = await one.session('api')
    for (const path of ['/app/src/out/stolen', '/app/src/out/new/stolen', '/app/src/lib/x']) {
      await expect(session.apply([file(path, 'x')], never)).rejects.toMatchObject({
        code: 'sync/failed',
        message: expect.stringContaining('symbolic link') as string,
      })
    }
    await session.apply([file('/app/src/new/inside', 'y')], never)
    const paths = ['/app/src/out/context', '/app/src/new/inside', '/app/src/out']
    const held = await session.inspect(paths, never)
    expect(paths.map((path) => held.get(path)?.kind)).toEqual(['absent', 'file', 'link'])
    expect(existsSync(join(one.dir, 'stolen'))).toBe(false)
  })

  it('ends when its pod is gone, and goes on in the next pod of the same stage', async () => {
    const record = await one.build()
    await one.deploy(one.app(), record)
    const { pods } = await one.ready('api')
    const session = await one.session('api')
    await one.runtime.replacePod({ namespace: '', name: pods[0]?.name ?? '' }, never)
    expect(await session.closed).toMatchObject({ reason: 'lost' })
    await expect(session.apply([file('/app/src/x', 'x')], never)).rejects.toMatchObject({ code: 'sync/disconnected' })
    const next = await one.ready('api')
    expect(next.pods[0]?.uid).not.toBe(pods[0]?.uid)
    // named by the old pod, as one may who has not heard of the new one
    const target = {
      containerId: pods[0]?.containers[0]?.containerId ?? '',
      namespace: '',
      pod: pods[0]?.name ?? '',
      container: 'api',
    }
    const again = await one.runtime.sync.open(target, ['/app/src'], never)
    await again.apply([file('/app/src/x', 'x')], never)
    await again.close()
    expect(await again.closed).toMatchObject({ reason: 'asked' })
    await one.runtime.remove('api', never)
    await expect(one.runtime.sync.open(target, ['/app/src'], never)).rejects.toMatchObject({ code: 'sync/disconnected' })
  })

  it('runs commands in the working folder with the environment of the app, and ends them when asked', async () => {
    await one.deploy(one.app({ env: { COLOUR: literal('blue') } }), await one.build())
    await one.ready('api')
    const session = await one.session('api')
    const lines: string[] = []
    const onLine = (line: string): void => void lines.push(line)
    expect(await session.run('echo $COLOUR; ls src; exit 4', onLine, never)).toEqual({ exitCode: 4 })
    expect(lines).toEqual(['blue', 'greeting.txt', 'server.js'])
    expect(await session.run(['no-such-command'], onLine, never)).toEqual({ exitCode: 127 })
    const stop = new AbortController()
    const running = session.run('sleep 1000 & echo $!; wait', onLine, stop.signal)
    await until('the pid', () => /^\d+$/.test(lines.at(-1) ?? ''))
    stop.abort()
    await expect(running).rejects.toMatchObject({ name: 'AbortError' })
    await until('the end', () => !alive(Number(lines.at(-1))))
  })
})
