// Processor time and memory of a process and everything below it, as /proc tells them. Linux only.
import { readdir, readFile } from 'node:fs/promises'

/** Milliseconds a tick of /proc/PID/stat: the kernel's USER_HZ is 100 on every architecture that Node runs on. */
export const tickMs = 10

/** What /proc/PID/stat says: `own` and `reaped` are ticks of the process itself and of its children that it has waited for. */
export function readStat(text) {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const number = (field) => Number(fields[field - 3])
  return {
    pid: parseInt(text, 10),
    parent: number(4),
    state: fields[0],
    own: number(14) + number(15),
    reaped: number(16) + number(17),
  }
}

const statOf = (pid) => readFile(`/proc/${pid}/stat`, 'utf8').then(readStat, () => undefined)

/** The process and all its descendants, with their processor time. */
async function family(root) {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const all = (await Promise.all(pids.map(statOf))).filter(Boolean)
  const found = all.filter((one) => one.pid === root)
  for (const one of found) found.push(...all.filter((other) => other.parent === one.pid))
  return found
}

/** Resident memory in MB, by process, the root first. Pages that processes share are counted once for each. */
export async function memory(root) {
  const processes = await Promise.all(
    (await family(root)).map(async ({ pid }) => {
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
      return {
        pid,
        name: /^Name:\s+(.*)$/m.exec(status)?.[1] ?? '?',
        mb: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024,
      }
    }),
  )
  return { mb: processes.reduce((sum, one) => sum + one.mb, 0), processes }
}

/** Processor time used so far in milliseconds, by processes that have ended and were waited for too. */
export async function processorMs(root) {
  return (await family(root)).reduce((sum, one) => sum + one.own + one.reaped, 0) * tickMs
}
