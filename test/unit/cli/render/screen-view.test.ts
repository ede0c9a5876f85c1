import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createScreenView, type Terminal } from '../../../../src/cli/render/screen-view.js'
import { waitFor as wait } from '../../../support/wait-for.js'
import { createFakeClient, type FakeClient } from '../fake-client.js'
import { change, line, resource, session, shop } from '../views.js'

interface Screen {
  readonly client: FakeClient
  readonly terminal: EventEmitter
  readonly stdin: PassThrough
  readonly stdout: PassThrough & { columns: number; rows: number }
  readonly written: () => string
  readonly raw: () => boolean
  readonly pressed: string[]
  readonly close: () => void
}

function start(env: NodeJS.ProcessEnv = { NO_COLOR: '1' }): Screen {
  const client = createFakeClient()
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => (raw = on) })
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 })
  const terminal = Object.assign(new EventEmitter(), { stdin, stdout, env })
  let raw = false
  let text = ''
  stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const pressed: string[] = []
  const view = createScreenView(client, terminal as unknown as Terminal, {
    quit: () => pressed.push('quit'),
    interrupt: () => pressed.push('interrupt'),
  })
  return { client, terminal, stdin, stdout, written: () => text, raw: () => raw, pressed, close: view.close }
}

const waitFor = (condition: () => boolean): Promise<boolean> =>
  wait(condition, { what: 'the screen', timeoutMs: 5000, everyMs: 5 })

const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l'
const leave = '\x1b[?7h\x1b[?25h\x1b[?1049l'

describe('createScreenView', () => {
  it('draws what it is told, and later only the lines that changed', async () => {
    const screen = start()
    screen.client.update([session(), resource('api'), resource('web')])
    await waitFor(() => screen.written().includes('● web'))
    const before = screen.written().length
    screen.client.update([resource('web', { status: 'failed', error: { code: 'build/failed', message: 'no', help: 'Do.' } })])
    await waitFor(() => screen.written().slice(before).includes('✗ web'))
    expect(screen.written().slice(before)).not.toContain('api')
    screen.close()
  })

  it('shows an end soon after a change has been shown as open', async () => {
    const screen = start()
    screen.client.update([
      session(),
      change('c1'),
      resource('api', { status: 'updating', lastChange: { id: 'c1', at: Date.now(), outcome: 'pending' } }),
    ])
    await waitFor(() => screen.written().includes('saved'))
    screen.client.update([resource('api', { lastChange: { id: 'c1', at: 0, outcome: 'live', liveMs: 24 } })])
    expect(await waitFor(() => screen.written().includes('live in 24 ms'))).toBe(true)
    screen.close()
  })

  it('is drawn anew when the terminal changes its size, and on Ctrl-L', async () => {
    const screen = start()
    screen.client.update(shop())
    await waitFor(() => screen.written().includes('worker'))
    for (const again of [() => screen.stdout.emit('resize'), () => screen.stdin.write('\x0c')]) {
      const before = screen.written().length
      again()
      await waitFor(() => screen.written().slice(before).includes('worker'))
      expect(screen.written().slice(before)).toContain('\x1b[2J')
    }
    screen.close()
  })

  it('reads q and Ctrl-C', async () => {
    const screen = start()
    screen.stdin.write('x')
    screen.stdin.write('q')
    await waitFor(() => screen.pressed.length === 1)
    screen.stdin.write('\x03')
    await waitFor(() => screen.pressed.length === 2)
    expect(screen.pressed).toEqual(['quit', 'interrupt'])
    screen.close()
  })

  it.each([
    ['closed', (screen: Screen) => screen.close()],
    ['at the end of the process', (screen: Screen) => void screen.terminal.emit('exit')],
  ])('puts the terminal back when it is %s, and leaves what was shown', async (_, end) => {
    const screen = start()
    expect(screen.raw()).toBe(true)
    screen.client.update(shop())
    await waitFor(() => screen.written().includes('worker'))
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
    expect(
      screen.terminal.listenerCount('exit') + screen.stdout.listenerCount('resize') + screen.stdin.listenerCount('data'),
    ).toBe(0)
    screen.close()
    expect(screen.written().split(leave)).toHaveLength(2)
  })
})
