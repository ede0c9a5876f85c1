// `devloop watch` on a terminal: a screen of its own that is drawn only when something changed, and put away on every way out.
import type { DevloopClient } from '../../client/index.js'
import type { LogEntry } from '../../protocol/messages.js'
import { logText } from './log-line.js'
import type { StatusView } from './plain-view.js'
import { resourceRows } from './rows.js'
import { renderScreen } from './screen.js'
import { terminalStyle } from './style.js'
import { resourcesOf, sessionOf, troublesOf, troubleText } from './views.js'

/** Milliseconds between two frames, at least. */
const frameMs = 40
/** How often the age of an open change is drawn anew. Milliseconds. */
const ageMs = 500
const keptLines = 500
// the alternate screen, without cursor and without wrapping
const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l'
const leave = '\x1b[?7h\x1b[?25h\x1b[?1049l'

/** The part of `process` that is used. */
export interface Terminal {
  readonly stdout: NodeJS.WriteStream
  readonly stdin: NodeJS.ReadStream
  readonly env: NodeJS.ProcessEnv
  on(event: 'exit', listener: () => void): unknown
  off(event: 'exit', listener: () => void): unknown
}

/** What the keys mean. */
export interface ScreenKeys {
  /** `q`. */
  readonly quit: () => void
  /** Ctrl-C, which is no signal while keys are read one by one. */
  readonly interrupt: () => void
}

/** Takes over the terminal until it is closed, or the process ends in whatever way. */
export function createScreenView(client: DevloopClient, terminal: Terminal, keys: ScreenKeys): StatusView {
  const { stdout, stdin, env } = terminal
  const style = terminalStyle(env)
  const own: LogEntry[] = []
  let log: LogEntry[] = []
  let shown: string[] = []
  let drawnAt = 0
  let timer: NodeJS.Timeout | undefined
  let timerAt = Infinity
  let parting: string[] = []
  let closed = false

  const columns = (): number => stdout.columns || 80
  const schedule = (after = frameMs - (Date.now() - drawnAt)): void => {
    const at = Date.now() + Math.max(0, after)
    if (closed || at >= timerAt) return
    clearTimeout(timer)
    timerAt = at
    timer = setTimeout(draw, at - Date.now())
  }
  const draw = (): void => {
    timerAt = Infinity
    drawnAt = Date.now()
    const views = client.views()
    const frame = renderScreen(views, log, { columns: columns(), rows: stdout.rows || 24, style, now: drawnAt })
    // only the lines that changed are sent: cheap over ssh. Erased first: after a line of full width it would take the last column
    const output = frame.map((line, index) => (line === shown[index] ? '' : `\x1b[${index + 1};1H\x1b[2K${line}\x1b[0m`)).join('')
    shown = frame
    if (output !== '') stdout.write(output)
    if (sessionOf(views)?.phase === 'running') parting = farewell()
    if (resourcesOf(views).some((one) => one.lastChange?.outcome === 'pending' && !one.pending)) schedule(ageMs)
  }
  const redraw = (): void => {
    shown = []
    stdout.write('\x1b[2J')
    schedule(0)
  }
  /** What was on the screen last is worth keeping, above all what went wrong. */
  const farewell = (): string[] => [
    ...resourceRows(client.views(), { style, columns: columns(), now: Date.now() }),
    ...troublesOf(client.views()).map(troubleText),
  ]
  const onKeys = (data: Buffer | string): void => {
    const text = data.toString()
    if (text.includes('\x03')) keys.interrupt()
    else if (text === 'q') keys.quit()
    else if (text === '\x0c') redraw()
  }
  const ends = [
    client.onViews(() => schedule()),
    client.onState(() => schedule()),
    client.logs({ tail: keptLines }, ({ lines }) => {
      own.push(...lines.filter((line) => line.resource === '' && line.source === 'daemon' && line.level === 'error'))
      log = [...log, ...lines].slice(-keptLines)
      schedule()
    }),
  ]
  const restore = (): void => {
    if (closed) return
    closed = true
    clearTimeout(timer)
    for (const end of ends) end()
    stdin.off('data', onKeys)
    if (stdin.isTTY) stdin.setRawMode(false)
    stdin.pause()
    stdout.off('resize', redraw)
    terminal.off('exit', restore)
    stdout.write(
      `${leave}${[...(parting.length > 0 ? parting : farewell()), ...own.map((line) => logText(line, style))].join('\n')}\n`,
    )
  }

  terminal.on('exit', restore)
  stdout.write(enter)
  stdout.on('resize', redraw)
  if (stdin.isTTY) {
    stdin.setRawMode(true)
    stdin.on('data', onKeys)
    stdin.resume()
  }
  schedule(0)
  return { close: restore }
}
