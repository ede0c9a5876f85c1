// Process groups: every command leads one of its own, so that whatever it starts ends with it.
import { readdirSync, readFileSync } from 'node:fs'

/** Send a signal to all processes of a group. A group that is gone is no error. */
export function signalGroup(pgid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pgid, signal)
  } catch (thrown) {
    // EPERM: only members that changed their user are left, or (macOS) only dead ones
    const code = (thrown as NodeJS.ErrnoException).code
    if (code !== 'ESRCH' && code !== 'EPERM') throw thrown
  }
}

/** Whether a group has a member that still runs; dead ones that nobody has waited for do not count where that can be seen. */
export function groupRuns(pgid: number): boolean {
  try {
    process.kill(-pgid, 0)
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== 'ESRCH' && process.platform === 'linux' && hasLivingMember(pgid)
  }
  return process.platform !== 'linux' || hasLivingMember(pgid)
}

/**
 * Linux: in a container whose first process waits for nobody, dead orphans stay in their group for ever; only /proc tells them
 * from living ones. Asked only while a group outlives its leader.
 */
function hasLivingMember(pgid: number): boolean {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      // "pid (name) state ppid pgrp ...": the name may hold anything, so look behind its last parenthesis
      const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (group === String(pgid) && state !== 'Z' && state !== 'X') return true
    } catch {
      // it ended while we looked
    }
  }
  return false
}
