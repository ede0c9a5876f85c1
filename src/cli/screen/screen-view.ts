// The view of `devloop watch` and `devloop attach` on a terminal: drawn only when something changed, and put away on every way out.
import type { DevloopClient } from '../../client/index.js'
import { harmless } from '../../client/status/harmless.js'
import { troublesOf, troubleText } from '../../client/status/troubles.js'
import { sessionOf } from '../../client/status/views.js'
import { toErrorInfo } from '../../errors/devloop-error.js'
import type { LogEntry } from '../../protocol/messages.js'
import { logText } from '../render/log-line.js'
import type { StatusView } from '../render/plain-view.js'
import { resourceRows } from '../render/rows.js'
import { screenStyle, terminalStyle } from '../render/style.js'
import { createKeyReader, type Key } from './keys.js'
import { createLogBuffer } from './log-buffer.js'
import { paint } from './paint.js'
import { press } from './press.js'
import { renderScreen, type Frame } from './render-screen.js'
import { initialState, type Effect, type ScreenState } from './screen-state.js'
import { openPatientOutput } from '../patient-output.js'
import { takeTerminal, type Terminal } from './terminal-mode.js'

/** Milliseconds between two frames at least, however much happens. */
const frameMs = 50
/** The same after a key. */
const keyFrameMs = 16
/** A lone Escape is one when nothing came after it for so long. Milliseconds. */
const escapeMs = 40
/** Lines of the log that are kept here, and how many of the newest a log begins with. */
const [keptLines, firstLines] = [5000, 1000]

/** What stands behind the keys. */
export interface ScreenActions {
  /** What `q` does, in a word and in a sentence. */
  readonly quit: { readonly word: string; readonly text: string; readonly run: () => void }
  /** Ctrl-C, which is no signal while keys are read one by one. */
  readonly interrupt: () => void
  /** Shows an address in a browser. Resolves to whether that was possible. */
  readonly open: (url: string) => Promise<boolean>
  /** The same for the status page. */
  readonly openPage: () => Promise<boolean>
}

/** Takes over the terminal until it is closed, or the process ends in whatever way. */
export function createScreenView(client: DevloopClient, terminal: Terminal, actions: ScreenActions): StatusView {
  const { stdout, env } = terminal
  const style = screenStyle(env)
  const log = createLogBuffer(keptLines)
  /** What devloop itself complained of. */
  const complaints: LogEntry[] = []
  let state: ScreenState = initialState
  let shown: readonly string[] = []
  let drawnAt = 0
  let timer: NodeJS.Timeout | undefined
  let timerAt = Infinity
  let parting: string[] = []
  let closed = false
  /** Whether a frame was left out because the terminal had not taken the one before. */
  let late = false
  const output = openPatientOutput(stdout, () => {
    if (late) schedule()
  })

  const size = (): { columns: number; rows: number } => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 })
  const frame = (): Frame =>
    renderScreen({ views: client.views(), log, state, quit: actions.quit }, { ...size(), style, now: Date.now() })
  const schedule = (after = frameMs - (Date.now() - drawnAt)): void => {
    const at = Date.now() + Math.max(0, after)
    if (closed || at >= timerAt) return
    clearTimeout(timer)
    timerAt = at
    timer = setTimeout(draw, at - Date.now())
  }
  const draw = (): void => {
    timerAt = Infinity
    late = output.waiting > 0
    if (late) return
    drawnAt = Date.now()
    follow()
    const { lines, nextMs } = frame()
    const changed = paint(shown, lines, size().columns)
    shown = lines
    if (changed !== '') output.write(changed)
    if (sessionOf(client.views())?.phase === 'running') parting = farewell()
    // nothing is drawn again by itself but what gets older
    if (nextMs !== undefined) schedule(Math.max(frameMs, nextMs))
  }
  const redraw = (): void => {
    shown = []
    output.write('\x1b[2J')
    schedule(0)
  }
  const notice = (text: string, tone: 'good' | 'bad' | 'plain'): void => {
    state = { ...state, notice: { text, tone } }
    schedule(keyFrameMs - (Date.now() - drawnAt))
  }
  const usual = terminalStyle(env)
  /** What was on the screen last is worth keeping, above all what went wrong. */
  const farewell = (): string[] => [
    ...resourceRows(client.views(), { style: usual, columns: size().columns, now: Date.now() }),
    ...troublesOf(client.views()).map(troubleText),
  ]

  // one log at a time: of what is selected, from the level that is shown
  let followed: { readonly key: string; readonly end: () => void } | undefined
  const follow = (): void => {
    const { selected, level } = state
    const key = JSON.stringify([selected, level])
    if (followed?.key === key) return
    followed?.end()
    log.clear()
    const end = client.logs(
      {
        tail: firstLines,
        ...(selected === undefined ? {} : { resources: [selected] }),
        ...(level === 'info' ? {} : { level }),
      },
      (message) => {
        log.add(message)
        if (message.lines.length > 0 || message.dropped > 0) schedule()
      },
    )
    followed = { key, end }
  }

  const run = async (effect: Effect): Promise<void> => {
    switch (effect.kind) {
      case 'request': {
        const { method, resource } = effect
        notice(`${method} ${resource} ...`, 'plain')
        if (method === 'trigger' || method === 'restart') await client.request(method, { resource })
        else await client.request(method, { resources: [resource] })
        return notice(
          `${{ trigger: 'triggered', restart: 'restarting', enable: 'enabled', disable: 'disabled' }[method]} ${resource}`,
          'good',
        )
      }
      case 'open':
        if (await actions.open(effect.url)) return notice(`opened ${effect.url}`, 'good')
        return notice(`no browser was found here; y copies ${effect.url}`, 'bad')
      case 'page':
        if (await actions.openPage()) return notice('opened the status page', 'good')
        return notice('no browser was found here; devloop open --print tells the address', 'bad')
      case 'copy':
        // the clipboard of the machine where the terminal is, also through ssh
        output.write(`\x1b]52;c;${Buffer.from(effect.text).toString('base64')}\x07`)
        return notice(`copied ${effect.what}`, 'good')
      case 'redraw':
        return redraw()
      case 'suspend':
        return mode.suspend()
      case 'quit':
        return actions.quit.run()
      case 'interrupt':
        return actions.interrupt()
    }
  }
  const reader = createKeyReader()
  let escape: NodeJS.Timeout | undefined
  const onKeys = (keys: readonly Key[]): void => {
    for (const key of keys) {
      const { page, scrollMost } = frame()
      const pressed = press(state, key, { views: client.views(), log, page, scrollMost })
      state = pressed.state
      for (const effect of pressed.effects) run(effect).catch((thrown) => notice(harmless(toErrorInfo(thrown).message), 'bad'))
    }
    if (keys.length > 0) schedule(keyFrameMs - (Date.now() - drawnAt))
  }
  const mode = takeTerminal(terminal, output, {
    onInput(data) {
      clearTimeout(escape)
      onKeys(reader.read(data))
      if (reader.waits) escape = setTimeout(() => onKeys(reader.flush()), escapeMs)
    },
    onRedraw: redraw,
    parting: () =>
      `${[...(parting.length > 0 ? parting : farewell()), ...complaints.map((line) => logText(line, usual))].join('\n')}\n`,
  })
  const ends = [
    client.onViews(({ removes }) => {
      // what was removed cannot stay selected
      if (removes.some(({ kind, name }) => kind === 'resource' && name === state.selected))
        state = { ...state, selected: undefined, at: undefined, scroll: 0 }
      schedule()
    }),
    client.onState(() => schedule()),
    client.logs({ resources: [''], level: 'error', tail: 20 }, ({ lines }) => {
      complaints.push(...lines.filter((line) => line.source === 'daemon'))
      complaints.splice(0, complaints.length - 20)
    }),
    () => followed?.end(),
  ]
  const close = (): void => {
    if (closed) return
    closed = true
    clearTimeout(timer)
    clearTimeout(escape)
    for (const end of ends) end()
    terminal.off('exit', close)
    mode.restore()
  }
  // before the terminal is put back, which is listened for, too: nothing is drawn after that
  terminal.on('exit', close)
  schedule(0)
  return { close }
}
