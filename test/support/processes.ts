// Which processes there are, to see that none is left behind. Linux only: it reads /proc.
import { readdirSync, readFileSync } from 'node:fs'
import { waitFor } from './wait-for.js'

export interface ProcessInfo {
  readonly pid: number
  readonly parent: number
  /** In ticks since boot: tells a process from a later one with the same number. */
  readonly startedAt: string
  readonly command: string
}

/** All that run; dead ones that nobody has waited for are left out. */
function all(): ProcessInfo[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
        // "pid (name) state ppid ...": the name may hold anything, so look behind its last parenthesis
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        if (fields[0] === 'Z' || fields[0] === 'X') return []
        const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim()
        return [{ pid: Number(name), parent: Number(fields[1]), startedAt: fields[19] ?? '', command }]
      } catch {
        // it ended while we looked
        return []
      }
    })
}

/** A process and everything that it started, at this moment. */
export function family(pid: number): ProcessInfo[] {
  const running = all()
  const found = running.filter((one) => one.pid === pid)
  for (const one of found) found.push(...running.filter((other) => other.parent === one.pid))
  return found
}

/** Wait until none of these runs any more. */
export async function gone(processes: readonly ProcessInfo[]): Promise<void> {
  let left = processes
  await waitFor(
    () => {
      const running = all()
      left = processes.filter((one) => running.some((other) => other.pid === one.pid && other.startedAt === one.startedAt))
      return left.length === 0
    },
    { what: 'all processes to end', timeoutMs: 20_000 },
  ).catch(() => {
    throw new Error(`these processes still run: ${JSON.stringify(left, undefined, 1)}`)
  })
}
