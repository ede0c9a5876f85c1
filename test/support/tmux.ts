// Terminals to run the command line in: windows of a tmux server of their own, which nobody else sees.
import { execFile, execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { waitFor } from './wait-for.js'

/** Whether tmux is there. */
export const hasTmux = ((): boolean => {
  try {
    execFileSync('tmux', ['-V'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

export interface Tmux {
  /** A terminal of this size with a shell in it. */
  open(name: string, size: { columns: number; rows: number }, folder: string): Promise<TmuxTerminal>
  /** What was copied last. */
  clipboard(): Promise<string>
  close(): Promise<void>
}

export interface TmuxTerminal {
  /** Types keys, by their tmux names (`Enter`, `Down`, `C-c`) or as text. */
  keys(...keys: readonly string[]): Promise<void>
  type(text: string): Promise<void>
  resize(columns: number, rows: number): Promise<void>
  /** The lines that are seen; with colours, the escape sequences stay in. */
  screen(options?: { colours?: boolean }): Promise<string[]>
  /** Waits until the screen holds this. */
  shows(what: string | RegExp): Promise<string[]>
  /** Whether the alternate screen is shown, and the cursor. */
  modes(): Promise<{ alternate: boolean; cursor: boolean }>
}

/** Starts a server that hands these variables to what runs in it. */
export async function startTmux(env: Readonly<Record<string, string>>): Promise<Tmux> {
  const folder = await mkdtemp(join(tmpdir(), 'tmux-'))
  const run = promisify(execFile)
  const tmux = async (...args: readonly string[]): Promise<string> =>
    (await run('tmux', ['-S', join(folder, 'socket'), '-f', '/dev/null', ...args], { env: { ...process.env, ...env, TMUX: '' } }))
      .stdout
  const shell = ['bash', '--norc', '--noprofile', '-i']
  return {
    async open(name, { columns, rows }, cwd) {
      await tmux('new-session', '-d', '-s', name, '-x', String(columns), '-y', String(rows), '-c', cwd, ...shell)
      await tmux('set-option', '-g', 'status', 'off')
      await tmux('set-option', '-s', 'set-clipboard', 'on')
      await tmux('resize-window', '-t', name, '-x', String(columns), '-y', String(rows))
      const screen: TmuxTerminal['screen'] = async ({ colours = false } = {}) =>
        (await tmux('capture-pane', '-p', '-t', name, ...(colours ? ['-e'] : []))).replace(/\n$/, '').split('\n')
      return {
        keys: async (...keys) => void (await tmux('send-keys', '-t', name, ...keys)),
        type: async (text) => void (await tmux('send-keys', '-t', name, '-l', text)),
        resize: async (x, y) => void (await tmux('resize-window', '-t', name, '-x', String(x), '-y', String(y))),
        screen,
        async shows(what) {
          let last: string[] = []
          const has = (text: string): boolean => (typeof what === 'string' ? text.includes(what) : what.test(text))
          await waitFor(async () => has((last = await screen()).join('\n')), {
            what: String(what),
            everyMs: 50,
            timeoutMs: 20_000,
          }).catch((thrown: unknown) => {
            throw new Error(`the screen never showed ${String(what)}:\n${last.join('\n')}`, { cause: thrown })
          })
          return last
        },
        async modes() {
          const [alternate, cursor] = (await tmux('display-message', '-p', '-t', name, '#{alternate_on} #{cursor_flag}'))
            .trim()
            .split(' ')
          return { alternate: alternate === '1', cursor: cursor === '1' }
        },
      }
    },
    clipboard: () => tmux('show-buffer'),
    async close() {
      await tmux('kill-server').catch(() => undefined)
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
