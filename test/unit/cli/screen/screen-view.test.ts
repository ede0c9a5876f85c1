import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createScreenView } from '../../../../src/cli/screen/screen-view.js'
import type { Terminal } from '../../../../src/cli/screen/terminal-mode.js'
import { DevloopError } from '../../../../src/errors/devloop-error.js'
import type { LogSelection } from '../../../../src/protocol/messages.js'
import { terminalScreen } from '../../../support/terminal-screen.js'
import { waitFor as wait } from '../../../support/wait-for.js'
import { createFakeClient, type FakeClient } from '../fake-client.js'
import { change, line, resource, session, shop } from '../views.js'

interface Screen {
  readonly client: FakeClient
  readonly terminal: EventEmitter
  readonly stdin: PassThrough
  readonly stdout: PassThrough & { columns: number; rows: number }
  readonly written: () => string
  /** What stands on a screen of 80 by 24. */
  readonly text: () => string
  readonly raw: () => boolean
  readonly pressed: string[]
  readonly requests: { readonly method: string; readonly params: unknown }[]
  readonly selections: LogSelection[]
  readonly close: () => void
}

function start(env: NodeJS.ProcessEnv = { NO_COLOR: '1' }): Screen {
  const selections: LogSelection[] = []
  const requests: Screen['requests'] = []
  const fake = createFakeClient()
  const client: FakeClient = {
    ...fake,
    logs(selection, callback) {
      selections.push(selection)
      return fake.logs(selection, callback)
    },
    request(method, params) {
      requests.push({ method, params })
      if (method === 'restart') return Promise.reject(new DevloopError('request/refused', 'db has no process'))
      return Promise.resolve({} as never)
    },
  }
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => (raw = on) })
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 })
  const terminal = Object.assign(new EventEmitter(), {
    stdin,
    stdout,
    env,
    kill: (pid: number, signal: string) => pressed.push(`${signal} to ${pid}, raw mode ${raw}`),
  })
  let raw = false
  let text = ''
  const screen = terminalScreen(80, 24)
  stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    screen.write(chunk.toString().replace(/\x1b\]52;[^\x07]*\x07/g, '')) // oxlint-disable-line no-control-regex
  })
  const pressed: string[] = []
  const view = createScreenView(client, terminal as unknown as Terminal, {
    quit: { word: 'quit', text: 'end devloop', run: () => pressed.push('quit') },
    interrupt: () => pressed.push('interrupt'),
    open: (url) => {
      pressed.push(`open ${url}`)
      return Promise.resolve(!url.includes('5432'))
    },
    openPage: () => Promise.resolve(false),
  })
  return {
    client,
    terminal,
    stdin,
    stdout,
    written: () => text,
    text: () => screen.lines().join('\n'),
    raw: () => raw,
    pressed,
    requests,
    selections,
    close: view.close,
  }
}

const waitFor = (condition: () => boolean): Promise<boolean> =>
  wait(condition, { what: 'the screen', timeoutMs: 10_000, everyMs: 5 })

const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h'
const leave = '\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l'

describe('createScreenView', () => {
  it('draws what it is told, and later only what changed', async () => {
    const screen = start()
    screen.client.update([session(), resource('api'), resource('web')])
    await waitFor(() => screen.text().includes('● web'))
    const before = screen.written().length
    screen.client.update([resource('web', { status: 'failed', error: { code: 'build/failed', message: 'no', help: 'Do.' } })])
    await waitFor(() => screen.text().includes('✗ web'))
    expect(screen.written().slice(before).length).toBeLessThan(600)
    expect(screen.text()).toContain('● api')
    screen.close()
  })

  it('shows an end soon after a change has been shown as open', async () => {
    const screen = start()
    screen.client.update([
      session(),
      change('c1'),
      resource('api', { status: 'updating', lastChange: { id: 'c1', at: Date.now(), outcome: 'pending' } }),
    ])
    await waitFor(() => screen.text().includes('saved'))
    screen.client.update([resource('api', { lastChange: { id: 'c1', at: 0, outcome: 'live', liveMs: 24 } })])
    expect(await waitFor(() => screen.text().includes('live in 24 ms'))).toBe(true)
    screen.close()
  })

  it('writes nothing while nothing changes', async () => {
    const screen = start()
    screen.client.update([session(), resource('api')])
    await waitFor(() => screen.text().includes('● api'))
    const before = screen.written()
    // what is no news to the eye costs nothing either
    screen.client.update([session(), resource('api', { order: 0 })])
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(screen.written()).toBe(before)
    screen.close()
  })

  it('is drawn anew when the terminal changes its size, and on Ctrl-L', async () => {
    const screen = start()
    screen.client.update(shop())
    await waitFor(() => screen.text().includes('worker'))
    for (const again of [() => screen.stdout.emit('resize'), () => screen.stdin.write('\x0c')]) {
      const before = screen.written().length
      again()
      await waitFor(() => screen.written().slice(before).includes('worker'))
      expect(screen.written().slice(before)).toContain('\x1b[2J')
    }
    screen.close()
  })

  it('follows the log of what is selected, from the level that is asked for', async () => {
    const screen = start()
    screen.client.update(shop())
    await waitFor(() => screen.text().includes('worker'))
    screen.client.say([line('api', 'an old line')])
    await waitFor(() => screen.text().includes('an old line'))
    screen.stdin.write('jjv')
    await waitFor(() => screen.text().includes('db: log, warnings and errors'))
    expect(screen.text()).not.toContain('an old line')
    expect(screen.selections).toEqual([
      { resources: [''], level: 'error', tail: 20 },
      { tail: 1000 },
      { tail: 1000, resources: ['db'], level: 'warn' },
    ])
    // one for what devloop itself complains of, one for the log
    expect(screen.client.listening()).toBe(4)
    screen.client.update([], [{ kind: 'resource', name: 'db' }])
    await waitFor(() => screen.text().includes('all: log'))
    screen.close()
  })

  it('draws a flood of lines now and then, and ends with the newest', async () => {
    const screen = start()
    screen.client.update([session(), resource('api')])
    let frames = 0
    screen.stdout.on('data', () => frames++)
    const from = Date.now()
    for (let round = 0; round < 100; round++) {
      screen.client.say(Array.from({ length: 100 }, (_, index) => line('api', `line ${round * 100 + index}`)))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await waitFor(() => screen.text().includes('line 9999'))
    expect(frames).toBeLessThanOrEqual((Date.now() - from) / 50 + 2)
    screen.close()
  })

  it('sends requests, and tells how they ended', async () => {
    const screen = start()
    screen.client.update(shop())
    screen.stdin.write('jjt')
    await waitFor(() => screen.text().includes('triggered db'))
    screen.stdin.write('r')
    await waitFor(() => screen.text().includes('db has no process'))
    screen.stdin.write('ey')
    await waitFor(() => screen.text().includes('disabled db'))
    expect(screen.requests).toEqual([
      { method: 'trigger', params: { resource: 'db' } },
      { method: 'restart', params: { resource: 'db' } },
      { method: 'disable', params: { resources: ['db'] } },
    ])
    screen.close()
  })

  it('opens addresses, says where there is no browser, and copies by the terminal', async () => {
    const screen = start()
    screen.client.update(shop())
    screen.stdin.write('jjjo')
    await waitFor(() => screen.text().includes('opened http://localhost:8080'))
    screen.stdin.write('ko')
    await waitFor(() => screen.text().includes('no browser was found here; y copies http://localhost:5432'))
    screen.stdin.write('y')
    await waitFor(() => screen.text().includes('copied http://localhost:5432'))
    expect(screen.written()).toContain(`\x1b]52;c;${Buffer.from('http://localhost:5432').toString('base64')}\x07`)
    screen.stdin.write('w')
    await waitFor(() => screen.text().includes('devloop open --print'))
    screen.close()
  })

  it('reads q and Ctrl-C, and a lone Escape', async () => {
    const screen = start()
    screen.client.update(shop())
    screen.stdin.write('j')
    await waitFor(() => screen.text().includes('web: log'))
    screen.stdin.write('\x1b')
    await waitFor(() => screen.text().includes('all: log'))
    screen.stdin.write('q')
    await waitFor(() => screen.pressed.length === 1)
    screen.stdin.write('\x03')
    await waitFor(() => screen.pressed.length === 2)
    expect(screen.pressed).toEqual(['quit', 'interrupt'])
    screen.close()
  })

  it.each([
    ['Ctrl-Z', (screen: Screen) => void screen.stdin.write('\x1a')],
    ['SIGTSTP', (screen: Screen) => void screen.terminal.emit('SIGTSTP')],
  ])('gives the terminal to the shell on %s, and takes it again when it goes on', async (_, suspend) => {
    const screen = start()
    screen.client.update(shop())
    await waitFor(() => screen.text().includes('worker'))
    const before = screen.written().length
    suspend(screen)
    await waitFor(() => screen.pressed.length === 1)
    expect(screen.pressed).toEqual(['SIGTSTP to 0, raw mode false'])
    await waitFor(() => screen.written().slice(before).includes('worker'))
    expect(screen.written().slice(before).startsWith(`${leave}${enter}`)).toBe(true)
    expect(screen.raw()).toBe(true)
    expect(screen.terminal.listenerCount('SIGTSTP')).toBe(1)
    screen.stdin.write('q')
    await waitFor(() => screen.pressed.includes('quit'))
    screen.close()
  })

  it('takes the terminal again after SIGSTOP, which it could not see coming', async () => {
    const screen = start()
    screen.client.update(shop())
    await waitFor(() => screen.text().includes('worker'))
    const before = screen.written().length
    screen.terminal.emit('SIGCONT')
    await waitFor(() => screen.written().slice(before).includes('worker'))
    expect(screen.written().slice(before).startsWith(enter)).toBe(true)
    expect(screen.stdin.listenerCount('data')).toBe(1)
    screen.close()
  })

  it.each([
    ['closed', (screen: Screen) => screen.close()],
    ['at the end of the process', (screen: Screen) => void screen.terminal.emit('exit')],
  ])('puts the terminal back when it is %s, and leaves what was shown', async (_, end) => {
    const screen = start()
    expect(screen.raw()).toBe(true)
    screen.client.update(shop())
    await waitFor(() => screen.text().includes('worker'))
    // what the end of the daemon does to the views is of no interest
    screen.client.update([session({ phase: 'stopping' }), resource('api', { status: 'pending' })])
    screen.client.say([line('', 'devloop has a defect and ends', { source: 'daemon', level: 'error' })])
    end(screen)
    await waitFor(() => screen.written().includes(leave))
    const [shown = '', left = ''] = screen.written().split(leave)
    expect(shown.startsWith(enter)).toBe(true)
    expect(left).toMatchInlineSnapshot(`
      "shop on kind-dev/dev-ann: 2 of 4 ready
      ● db      ready                      http://localhost:5432
      ● api     ready    live in 24 ms     http://localhost:8080
      ✗ web     failed   last save failed  shop/api could not be built: RUN npm ci fa…
      ○ worker  pending                    it needs web
      web: shop/api could not be built: RUN npm ci failed with exit code 1 [build/failed]
        at /p/services/api/Dockerfile:7
        npm error code ENOENT
        npm error path /app/package.json
        npm error errno -2
        Correct the Dockerfile line, or the source that it compiles.
      devloop │ devloop has a defect and ends
      "
    `)
    expect(screen.raw()).toBe(false)
    expect(screen.client.listening()).toBe(0)
    const { terminal, stdout, stdin } = screen
    const listeners = ['exit', 'SIGTSTP', 'SIGCONT'].map((event) => terminal.listenerCount(event))
    expect([...listeners, stdout.listenerCount('resize'), stdin.listenerCount('data')]).toEqual([0, 0, 0, 0, 0])
    screen.close()
    expect(screen.written().split(leave)).toHaveLength(2)
  })
})
