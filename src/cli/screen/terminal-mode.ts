// The terminal while a screen of our own is shown: taken over, lent to the shell (Ctrl-Z), and put back on every way out.
import type { PatientOutput } from '../patient-output.js'

// the alternate screen, without cursor and without wrapping; what is pasted is told from what is typed
const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h'
const leave = '\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l'

/** The part of `process` that is used. */
export interface Terminal {
  readonly stdout: NodeJS.WriteStream
  readonly stdin: NodeJS.ReadStream
  readonly env: NodeJS.ProcessEnv
  on(event: 'exit' | 'SIGTSTP' | 'SIGCONT', listener: () => void): unknown
  off(event: 'exit' | 'SIGTSTP' | 'SIGCONT', listener: () => void): unknown
  kill(pid: number, signal: NodeJS.Signals): unknown
}

export interface TerminalMode {
  /** Gives the terminal to the shell and stops the process, until it is continued. */
  suspend(): void
  /** Puts the terminal back for good; the second time nothing happens. */
  restore(): void
}

export interface TerminalEvents {
  readonly onInput: (data: Buffer | string) => void
  /** Everything must be drawn anew: the size is another one, or others have written on the screen. */
  readonly onRedraw: () => void
  /** What to leave on the usual screen. */
  readonly parting: () => string
}

/** Takes the terminal over until `restore`, or until the process ends in whatever way but by SIGKILL. */
export function takeTerminal(
  terminal: Terminal,
  output: PatientOutput,
  { onInput, onRedraw, parting }: TerminalEvents,
): TerminalMode {
  const { stdout, stdin } = terminal
  let state: 'taken' | 'lent' | 'restored' = 'taken'

  const begin = (): void => {
    output.write(enter)
    if (!stdin.isTTY) return
    stdin.setRawMode(true)
    stdin.on('data', onInput)
    stdin.resume()
  }
  const end = (): void => {
    stdin.off('data', onInput)
    if (stdin.isTTY) stdin.setRawMode(false)
    stdin.pause()
  }
  const redraw = (): void => {
    if (state === 'taken') onRedraw()
  }
  const suspend = (): void => {
    if (state !== 'taken') return
    state = 'lent'
    end()
    output.write(leave)
    // the whole job, as Ctrl-Z does: npm and the like wait for us
    terminal.off('SIGTSTP', suspend)
    terminal.kill(0, 'SIGTSTP')
    // here it was continued, or never stopped because no shell is there to continue it
    setImmediate(resume)
  }
  const resume = (): void => {
    if (state === 'restored') return
    if (state === 'lent') terminal.on('SIGTSTP', suspend)
    // after SIGSTOP, which nobody can see coming, the shell has set the terminal as it likes it
    else end()
    state = 'taken'
    begin()
    onRedraw()
  }
  const restore = (): void => {
    if (state === 'restored') return
    const wasTaken = state === 'taken'
    state = 'restored'
    stdout.off('resize', redraw)
    terminal.off('exit', restore)
    terminal.off('SIGTSTP', suspend)
    terminal.off('SIGCONT', resume)
    if (wasTaken) end()
    output.end(wasTaken ? `${leave}${parting()}` : '')
  }

  terminal.on('exit', restore)
  terminal.on('SIGTSTP', suspend)
  terminal.on('SIGCONT', resume)
  stdout.on('resize', redraw)
  begin()
  return { suspend, restore }
}

/** Whether a terminal is there that can be drawn on. */
export const hasScreen = ({ stdout, env }: Pick<NodeJS.Process, 'stdout' | 'env'>): boolean =>
  stdout.isTTY && env.TERM !== 'dumb' && (env.CI ?? '') === ''
