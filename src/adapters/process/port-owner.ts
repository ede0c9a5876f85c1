// Finds the process that listens on a port: by /proc on Linux, by lsof elsewhere.
import { execFile } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename } from 'node:path'
import type { FindPortOwner, PortOwner } from '../../ports/port-owner.js'

/** Milliseconds that lsof gets. */
const lsofMs = 3000
/** TCP_LISTEN in /proc/net/tcp. */
const listening = '0A'

export const findPortOwner: FindPortOwner = async (port) => {
  try {
    return process.platform === 'linux' ? await byProc(port) : await byLsof(port)
  } catch {
    // it is only a hint
    return undefined
  }
}

async function byProc(port: number): Promise<PortOwner | undefined> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')))
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  const sockets = new Set(
    tables
      .flatMap((table) => table.split('\n').slice(1))
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[1]?.split(':')[1] === wanted && fields[3] === listening)
      .map((fields) => `socket:[${fields[9]}]`),
  )
  if (sockets.size === 0) return undefined
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    // of other users' processes the descriptors cannot be read
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      if (!sockets.has(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''))) continue
      const [program = ''] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')
      // a program may write its title there, arguments and all
      return { name: basename(program.split(' ')[0] ?? ''), pid: Number(pid) }
    }
  }
  return undefined
}

async function byLsof(port: number): Promise<PortOwner | undefined> {
  const text = await new Promise<string>((resolve) => {
    execFile('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { timeout: lsofMs }, (_error, stdout) => resolve(stdout))
  })
  const field = (key: string): string | undefined => new RegExp(`^${key}(.+)$`, 'm').exec(text)?.[1]
  const [pid, name] = [field('p'), field('c')]
  return pid === undefined || name === undefined ? undefined : { pid: Number(pid), name }
}
