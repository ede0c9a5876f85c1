// The whole product without a cluster: the built command line, real files, real processes.
import { readFile, rename, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { answers, homes, project, put, run, watch, type Watching } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'
import { waitFor } from '../support/wait-for.js'

const server = `
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
const word = readFileSync(new URL('./word.txt', import.meta.url), 'utf8').trim()
createServer((request, response) => response.end(request.url === '/live' ? readFileSync(new URL('../public/live.txt', import.meta.url), 'utf8') : word + ' ' + (process.env.EXTRA ?? ''))).listen(Number(process.env.PORT))
console.log('listening')
`
const devloopfile = (port: number, over = '') => `
import { app, defineDevloop, image, restart, run, sync } from 'devloop'
export default defineDevloop(() => ({
  name: 'shop',
  resources: [app('web', {
    image: image('shop/web', { live: [sync('src', '/app/src'), sync('public', '/app/public'), run('echo ran >> ran.txt', { on: 'src/step.txt' }), restart({ on: 'src/**' })] }),
    ports: { http: 8080 }, forward: { http: ${port} }, env: { ${over} },
    process: { prepare: 'echo prepared >> prepared.txt', command: ['node', 'src/server.js'] },
  })],
}))
`
let env: Record<string, string>
let port: number
let folder: string
const url = () => `http://127.0.0.1:${port}`

beforeEach(async () => {
  env = await homes()
  port = await freePort()
  folder = await project({
    'Devloopfile.ts': devloopfile(port),
    Dockerfile: 'FROM node\nWORKDIR /app\n',
    'package.json': '{"type":"module"}',
    'src/server.js': server,
    'src/word.txt': 'one',
    'src/step.txt': 'a',
    'public/live.txt': 'first',
  })
})

const begin = async (): Promise<Watching> => {
  const watching = await watch(['--runtime', 'process'], { cwd: folder, env })
  await watching.ready()
  return watching
}
const save = (name: string, text: string): Promise<void> => put(join(folder, name), text)

describe('the loop', () => {
  test('a save is served: synced without a restart, or with one', async () => {
    const watching = await begin()
    await answers(url(), 'one ')
    const pid = watching.resource('web')?.pods[0]?.name
    await save('public/live.txt', 'second')
    await answers(`${url()}/live`, 'second')
    expect(watching.resource('web')?.pods[0]?.name).toBe(pid)
    await save('src/word.txt', 'two')
    await answers(url(), 'two ')
    await waitFor(() => watching.changes().every((change) => change.outcome === 'live'), { what: 'both changes to be live' })
    expect(watching.changes()).toMatchObject([
      { paths: ['public/live.txt'], images: [{ action: 'sync' }] },
      { paths: ['src/word.txt'], images: [{ action: 'sync' }] },
    ])
    const shown = await run(['status', '--changes'], { cwd: folder, env })
    expect(shown.stdout).toMatch(/public\/live\.txt {2}live in .*\n +gathered \+.*, seen \+.*, sent \+.*, written \+/)
    expect((await run(['status'], { cwd: folder, env })).stdout).toMatch(/; today 2 saves live in /)
  })

  test('of several files that lead to one path, that of the last sync is there; when it goes, the one below is', async () => {
    await save(
      'Devloopfile.ts',
      devloopfile(port).replace("sync('public', '/app/public')", "sync('public', '/app/public'), sync('mine', '/app/public')"),
    )
    await save('mine/live.txt', 'mine')
    const watching = await begin()
    await answers(`${url()}/live`, 'mine')
    const why = async (path: string) => (await run(['why', path], { cwd: folder, env })).stdout
    expect(await why('public/live.txt')).toContain('not written to /app/public/live.txt: mine/live.txt is, by a later sync')
    expect(await why('mine/live.txt')).toContain('written to /app/public/live.txt')
    await save('public/live.txt', 'below')
    await waitFor(() => watching.changes().some((change) => change.outcome === 'live'), { what: 'the change to be live' })
    await answers(`${url()}/live`, 'mine')
    await rm(join(folder, 'mine/live.txt'))
    await answers(`${url()}/live`, 'below')
    await save('mine/live.txt', 'again')
    await answers(`${url()}/live`, 'again')
  })

  test('a touch and an unchanged save do nothing', async () => {
    const watching = await begin()
    await save('src/word.txt', 'one')
    await save('public/live.txt', 'marker')
    await answers(`${url()}/live`, 'marker')
    await waitFor(() => watching.changes().length > 0, { what: 'the change to be told' })
    expect(watching.changes().map((change) => change.paths)).toEqual([['public/live.txt']])
  })

  test('a change that no rule covers builds again; prepare runs in the new stage, once', async () => {
    const watching = await begin()
    const before = watching.resource('web')?.pods[0]?.name
    await save('package.json', '{"type":"module","version":"2.0.0"}')
    await watching.until('web', (view) => view.ready && view.lastChange?.outcome === 'live' && view.pods[0]?.name !== before)
    expect(watching.resource('web')?.pods[0]?.name).not.toBe(before)
    await answers(url(), 'one ')
  })

  test('a broken process is an error; the next good save brings it back', async () => {
    const watching = await begin()
    await save('src/server.js', 'throw new Error("broken on purpose")')
    const failed = await watching.until('web', (view) => view.status === 'failed')
    expect(failed.error?.code).toBe('app/exited')
    await save('src/server.js', server)
    await watching.until('web', (view) => view.ready)
    await answers(url(), 'one ')
  })

  test('deletes and renames reach the app', async () => {
    await begin()
    await save('public/other.txt', 'x')
    await rename(join(folder, 'public/other.txt'), join(folder, 'public/live.txt'))
    await answers(`${url()}/live`, 'x')
  })
})

describe('the Devloopfile', () => {
  test('a reload touches what changed and keeps the rest', async () => {
    const watching = await begin()
    await save('Devloopfile.ts', devloopfile(port, "EXTRA: 'more'"))
    await answers(url(), 'one more')
    expect(watching.session()?.devloopfile.generation).toBe(2)
  })

  test('a bad edit shows where, and the last good plan keeps running', async () => {
    const watching = await begin()
    await save('Devloopfile.ts', devloopfile(port).replace('forward:', 'forwards:'))
    await waitFor(() => watching.session()?.devloopfile.state === 'failed', { what: 'the load to fail' })
    expect(watching.session()?.devloopfile.error).toMatchObject({ code: 'devloopfile/invalid', where: { line: 5 } })
    expect(watching.session()?.devloopfile.error?.message).toContain('forwards')
    await save('public/live.txt', 'still')
    await answers(`${url()}/live`, 'still')
    await save('Devloopfile.ts', devloopfile(port))
    await waitFor(() => watching.session()?.devloopfile.state === 'ok' && watching.session()?.ready === true, {
      what: 'the plan to be good again',
    })
  })
})

describe('the daemon', () => {
  test('Ctrl-C leaves no process behind and exits with 130', async () => {
    const watching = await begin()
    const { pid } =
      (await (await fetch(`${url()}/`)).text()) === 'one ' ? { pid: watching.resource('web')?.pods[0]?.name } : { pid: undefined }
    expect(pid).toBeDefined()
    watching.child.kill('SIGINT')
    expect((await watching.ended).code).toBe(130)
    await expect(fetch(url())).rejects.toThrow()
    const status = await run(['status'], { cwd: folder, env })
    expect(status.code).toBe(1)
    expect(status.stderr).toContain('devloop does not run for')
  })

  test('a second watch of the project says so and exits with 1', async () => {
    await begin()
    const second = await run(['watch', '--runtime', 'process'], { cwd: folder, env })
    expect(second.code).toBe(1)
    expect(second.stderr).toContain('daemon/running')
  })

  test('a restart with nothing changed stages nothing anew; edits made meanwhile are synced', async () => {
    const first = await begin()
    await save('src/word.txt', 'two')
    await answers(url(), 'two ')
    first.child.kill('SIGINT')
    await first.ended
    await save('public/live.txt', 'while it was down')
    const second = await begin()
    await answers(url(), 'two ')
    await answers(`${url()}/live`, 'while it was down')
    expect(second.output()).not.toContain('building shop/web')
  })

  test('after kill -9 nothing is left, and the next run holds what is on disk', async () => {
    const first = await begin()
    first.child.kill('SIGKILL')
    await first.ended
    await save('src/word.txt', 'three')
    await rm(join(folder, 'src/step.txt'))
    await begin()
    await answers(url(), 'three ')
  })

  test('a taken port is an error of the forward that names the owner, and heals when it is free [tilt-25]', async () => {
    const blocker = createServer()
    await new Promise<void>((resolve) => blocker.listen(port, '127.0.0.1', resolve))
    const watching = await watch(['--runtime', 'process'], { cwd: folder, env })
    await watching.until('web', (view) => view.endpoints[0]?.state === 'failed')
    expect(watching.resource('web')?.endpoints[0]?.error).toMatchObject({
      code: 'forward/port-taken',
      message: expect.stringMatching(
        // elsewhere the owner is known only where lsof is
        process.platform === 'linux' ? `port ${port} of this machine is in use by .+ \\(process ${process.pid}\\)$` : 'is in use',
      ) as string,
    })
    // only the forward failed
    await watching.until('web', (view) => view.ready)
    await new Promise((resolve) => blocker.close(resolve))
    await answers(url(), 'one ')
  })

  test('a taken port gives way to the next free one, where that is asked for', async () => {
    const blocker = createServer()
    await new Promise<void>((resolve) => blocker.listen(port, '127.0.0.1', resolve))
    onTestFinished(() => void blocker.close())
    await save('Devloopfile.ts', devloopfile(port).replace(`http: ${port}`, `http: { local: ${port}, fallback: 'next-free' }`))
    const watching = await begin()
    const { endpoints } = await watching.until('web', (view) => view.endpoints[0]?.state === 'listening')
    const shown = endpoints[0]?.url ?? ''
    expect(shown).toMatch(/^http:\/\/localhost:\d+$/)
    expect(Number(shown.split(':').at(-1))).toBeGreaterThan(port)
    await answers(shown.replace('localhost', '127.0.0.1'), 'one ')
    expect((await run(['status'], { cwd: folder, env })).stdout).toContain(shown)
  })
})

describe('the commands', () => {
  test('status, logs, why, trigger', async () => {
    const watching = await begin()
    const status = await run(['status', '--json', '--wait', 'ready', '--timeout', '10s'], { cwd: folder, env })
    expect(JSON.parse(status.stdout)).toMatchObject({
      session: { project: 'shop', ready: true },
      resources: [{ name: 'web', status: 'ready' }],
    })
    expect((await run(['logs', 'web'], { cwd: folder, env })).stdout).toContain('listening')
    const why = await run(['why', 'src/word.txt'], { cwd: folder, env })
    expect(why.stdout).toContain('image shop/web: sync, by sync("src", "/app/src")')
    const before = watching.resource('web')?.pods[0]?.name
    expect((await run(['trigger', 'web'], { cwd: folder, env })).code).toBe(0)
    await watching.until('web', (view) => view.ready && view.pods[0]?.name !== before)
    const unknown = await run(['trigger', 'wep'], { cwd: folder, env })
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('request/unknown-resource')])
  })

  test('exec runs a command as the app runs', async () => {
    await put(
      join(folder, 'Devloopfile.ts'),
      devloopfile(port, "EXTRA: generated('extra')").replace('app, define', 'app, generated, define'),
    )
    await begin()
    const ran = await run(['exec', 'web', '--', 'sh', '-c', 'pwd; echo "$EXTRA"; cat src/word.txt; exit 4'], { cwd: folder, env })
    expect(ran).toMatchObject({ code: 4, stdout: expect.stringMatching(/\/app\n[A-Za-z0-9]{32}\none$/) as string })
  })

  test('a generated value is in no log and no status', async () => {
    await put(
      join(folder, 'Devloopfile.ts'),
      devloopfile(port, "EXTRA: generated('extra')").replace('app, define', 'app, generated, define'),
    )
    await save(
      'src/server.js',
      `${server}\nconsole.log('plain', process.env.EXTRA, Buffer.from(process.env.EXTRA).toString('base64'))\n`,
    )
    const watching = await begin()
    const value = (await answers(url(), /^one .{32}$/)).slice(4)
    await waitFor(() => watching.output().includes('plain [secret extra] [secret extra]'), { what: 'the line' })
    await save('src/server.js', `console.error('gone', process.env.EXTRA); process.exit(3)`)
    const { error } = await watching.until('web', (view) => view.error?.code === 'app/exited')
    expect(error?.why).toContain('gone [secret extra]')
    const everything = watching.output() + JSON.stringify([...watching.client.views().values()])
    expect(everything).not.toContain(value)
  })

  test('state files are for this user alone', async () => {
    await begin()
    const discovery = JSON.parse((await run(['status', '--json'], { cwd: folder, env })).stdout) as {
      session: { instance: string }
    }
    const file = join(env.XDG_RUNTIME_DIR ?? '', 'devloop', `${discovery.session.instance}.json`)
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      project: expect.any(String) as string,
      token: expect.any(String) as string,
    })
  })
})
