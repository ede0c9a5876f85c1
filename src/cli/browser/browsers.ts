// Which program shows a page, and whether there is a screen here for it.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A program with its arguments, of which the address is one. */
export interface Browser {
  readonly command: readonly string[]
  /** Whether the address may stand where other users of this machine can read it: the user has chosen that program. */
  readonly isChosen: boolean
}

/**
 * The browser to use for an address; undefined = there is none, or none whose window would be seen (a shell over ssh).
 * `$BROWSER` is a list with colons, where `%s` stands for the address; remote editors set it to a program that opens the page where
 * the person sits.
 */
export function browserFor(address: string, env: NodeJS.ProcessEnv, platform: NodeJS.Platform): Browser | undefined {
  for (const one of (env.BROWSER ?? '').split(':')) {
    const [program = '', ...more] = one.trim().split(/\s+/)
    if (!isProgram(program, env)) continue
    const args = more.includes('%s') ? more.map((arg) => (arg === '%s' ? address : arg)) : [...more, address]
    return { command: [program, ...args], isChosen: true }
  }
  const hasScreen = platform === 'darwin' ? !isRemote(env) : Boolean(env.DISPLAY || env.WAYLAND_DISPLAY)
  const opener = platform === 'darwin' ? 'open' : 'xdg-open'
  return hasScreen && isProgram(opener, env) ? { command: [opener, address], isChosen: false } : undefined
}

export const isRemote = (env: NodeJS.ProcessEnv): boolean => Boolean(env.SSH_CONNECTION || env.SSH_TTY)

function isProgram(name: string, env: NodeJS.ProcessEnv): boolean {
  if (name === '') return false
  const files = name.includes('/')
    ? [name]
    : (env.PATH ?? '')
        .split(delimiter)
        .filter(Boolean)
        .map((dir) => join(dir, name))
  return files.some((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** How a person gets to the page who cannot be shown it here: the lines below the address. */
export function otherWays(url: string, env: NodeJS.ProcessEnv): readonly string[] {
  const { port } = new URL(url)
  const [, , host] = (env.SSH_CONNECTION ?? '').split(' ')
  if (!isRemote(env)) return ['Open it in a browser on this machine.']
  const there = `${env.USER ? `${env.USER}@` : ''}${host ?? 'THIS-MACHINE'}`
  return [`Forward the port from where you sit, and open it there:`, `  ssh -N -L ${port}:127.0.0.1:${port} ${there}`]
}
