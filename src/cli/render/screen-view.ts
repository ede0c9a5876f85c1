// `devloop watch` on a terminal: the resources above, the newest log lines below. Draws only when something changed.
import type { DevloopClient } from '../../client/index.js'
import type { LogEntry } from '../../protocol/messages.js'
import { logText } from './log-line.js'
import type { StatusView } from './plain-view.js'
import { fit, resourceRows, terminalStyle, type Style } from './rows.js'
import { changesOf, resourcesOf, type Views } from './views.js'

/** At most so many frames a second. */
const frameMs = 40
const enter = '\x1b[?1049h\x1b[?25l'
const leave = '\x1b[?25h\x1b[?1049l'

export interface Terminal {
  readonly stdout: NodeJS.WriteStream
  readonly stdin: NodeJS.ReadStream
  readonly env: NodeJS.ProcessEnv
  on(event: 'exit', listener: () => void): unknown
  off(event: 'exit', listener: () => void): unknown
}

export function createScreenView(client: DevloopClient, terminal: Terminal, onQuit: () => void): StatusView {
  const { stdout, stdin, env } = terminal
  const style = terminalStyle(env)
  let lines: LogEntry[] = []
  let shown: string[] = []
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const draw = (): void => {
    timer = undefined
    const columns = stdout.columns || 80
    const frame = renderScreen(client.views(), lines, { columns, rows: stdout.rows || 24, style, now: Date.now() })
    // only the lines that changed are sent: cheap over ssh
    const output = frame.map((line, index) => (line === shown[index] ? '' : `\x1b[${index + 1};1H${line}\x1b[0m\x1b[K`)).join('')
    shown = frame
    if (output !== '') stdout.write(output)
    // the age of an open change is the only thing that moves by itself
    if (resourcesOf(client.views()).some((one) => one.lastChange?.outcome === 'pending')) schedule(500)
  }
  const schedule = (after = frameMs): void => {
    if (!closed) timer ??= setTimeout(draw, after)
  }
  const redraw = (): void => {
    shown = []
    stdout.write('\x1b[2J')
    schedule()
  }
  const restore = (): void => {
    if (closed) return
    closed = true
    clearTimeout(timer)
    if (stdin.isTTY) stdin.setRawMode(false)
    stdin.pause()
    stdout.off('resize', redraw)
    terminal.off('exit', restore)
    stdout.write(leave)
    // what was on the screen last is worth keeping
    stdout.write(`${resourceRows(client.views(), { style, columns: stdout.columns || 80, now: Date.now() }).join('\n')}\n`)
  }

  stdout.write(enter)
  terminal.on('exit', restore)
  stdout.on('resize', redraw)
  if (stdin.isTTY) {
    stdin.setRawMode(true)
    stdin.on('data', (data) => {
      const keys = data.toString()
      // raw mode gives Ctrl-C as a character
      if (keys.includes('\x03') || keys === 'q') onQuit()
      else if (keys === '\x0c') redraw()
    })
    stdin.resume()
  }
  client.onViews(() => schedule())
  client.onState(() => schedule())
  client.logs({ tail: 500 }, ({ lines: more }) => {
    lines = [...lines, ...more].slice(-500)
    schedule()
  })
  schedule()
  return { close: restore }
}

export interface ScreenOptions {
  readonly columns: number
  readonly rows: number
  readonly style: Style
  readonly now: number
}

/** Exactly `rows` lines, none wider than `columns`. Pure. */
export function renderScreen(views: Views, log: readonly LogEntry[], { columns, rows, style, now }: ScreenOptions): string[] {
  const all = resourceRows(views, { style, columns, now })
  // at least a third of the screen is for the log
  const most = Math.max(2, Math.floor((rows * 2) / 3))
  const top = all.length <= most ? all : [...all.slice(0, most - 1), style.dim(`… ${all.length - most + 1} more; devloop status shows all`)]
  const last = changesOf(views).at(-1)
  const rule = style.dim(fit('─'.repeat(columns), columns))
  const help = fit(style.dim(last ? `last change: ${last.pathCount === 1 ? last.paths[0] : `${last.pathCount} paths`} ${last.stages.map((one) => `${one.stage} ${one.ms} ms`).join(', ')}` : 'q quits'), columns)
  const room = Math.max(0, rows - top.length - 2)
  const below = room === 0 ? [] : log.slice(-room).map((line) => fit(logText(line, style), columns))
  const frame = [...top, rule, ...below, ...Array.from({ length: room - below.length }, () => ''), help]
  return frame.slice(0, rows)
}
