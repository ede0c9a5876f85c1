// `devloop logs`: what was kept, and with -f what comes.
import type { LogEntry, LogSelection } from '../../protocol/messages.js'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { harmless } from '../../client/status/harmless.js'
import { logText } from '../render/log-line.js'
import { plainStyle, terminalStyle } from '../render/style.js'
import { checkSelectors, selectedResources } from '../select-views.js'

export interface LogsOptions {
  readonly file?: string
  /** Resources that are meant, as names or `label:NAME`; empty = all, and what belongs to none. */
  readonly only: readonly string[]
  readonly follow?: boolean
  /** Undefined = 1000, or with `since` no bound. */
  readonly tail?: number
  /** How far back, in milliseconds. */
  readonly since?: number
  readonly container?: string
  /** The lowest that is meant. */
  readonly level?: LogEntry['level']
  /** Text that is in each line, in whatever case. */
  readonly grep?: string
  readonly timestamps?: boolean
  readonly json?: boolean
  readonly raw?: boolean
}

const usualTail = 1000

export const logs = (options: LogsOptions): Promise<number> =>
  withDaemon(options.file, ['state', 'logs'], async (client) => {
    checkSelectors(client.views(), options.only)
    const resources = selectedResources(client.views(), options.only).map((one) => one.name)
    const print = printer(options)
    const { since, container, level, grep } = options
    const tail = options.tail ?? (since === undefined ? usualTail : undefined)
    const picks = container !== undefined || level !== undefined || grep !== undefined
    const selection: LogSelection = {
      ...(options.only.length > 0 && { resources }),
      ...(since !== undefined && { since: Date.now() - since }),
      ...(tail !== undefined && { tail }),
      ...(container !== undefined && { containers: [container] }),
      ...(level !== undefined && { level }),
      ...(grep !== undefined && { text: grep }),
    }
    return new Promise<number>((resolve) => {
      let kept: LogEntry[] | undefined = []
      client.logs(selection, ({ lines, dropped, caughtUp }) => {
        // without -f, what comes while this ends is nobody's wish
        if (!kept && !options.follow) return
        // at the beginning nobody knows whether any of them would have been picked
        if (dropped > 0 && !(picks && kept)) process.stderr.write(`… ${dropped} lines are missing here\n`)
        if (!kept) return print(lines)
        kept.push(...lines)
        // what came meanwhile
        if (tail !== undefined && kept.length > tail) kept = tail === 0 ? [] : kept.slice(-tail)
        if (!caughtUp) return
        print(kept)
        kept = undefined
        if (!options.follow) resolve(exitCodes.ok)
      })
      client.onState((state) => {
        // with -f the daemon's end is the end; without, something is missing
        if (state === 'closed') resolve(options.follow ? exitCodes.ok : exitCodes.failure)
      })
    })
  })

function printer({ json, raw, timestamps }: LogsOptions): (lines: readonly LogEntry[]) => void {
  const style = process.stdout.isTTY ? terminalStyle(process.env) : plainStyle
  const show = (line: LogEntry): string =>
    json ? JSON.stringify(line) : raw ? rawText(line, timestamps) : logText(line, style, timestamps ? { timestamps } : {})
  return (lines) => {
    if (lines.length > 0) process.stdout.write(`${lines.map(show).join('\n')}\n`)
  }
}

/** As it was written, less what could harm a terminal. */
const rawText = ({ at, text }: LogEntry, timestamps = false): string =>
  `${timestamps ? `${new Date(at).toISOString()} ` : ''}${harmless(text)}`
