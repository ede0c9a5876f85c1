// Makes sure that no process group outlives this process, however it ends: an exit hook, and for SIGKILL a small `sh` that waits
// for the end of a pipe only this process holds. The shell blocks in `read`, so it costs nothing while nothing happens.
import { spawn, type ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { signalGroup } from './process-group.js'

export interface GroupGuard {
  /** From now on the group ends with this process. Returns after it was told to the watcher. */
  add(pgid: number): void
  /** The group has ended by itself. */
  delete(pgid: number): void
}

// Only what every POSIX sh has built in, but for `sleep`. A group is asked to end first, as in an orderly stop.
const watcherScript = `
groups=' '
while read -r op id; do
  case $op in
    +) groups="$groups$id " ;;
    -) groups="\${groups%% $id *} \${groups#* $id }" ;;
  esac
done
some=
for id in $groups; do kill -TERM "-$id" && some=1; done
[ "$some" ] || exit 0
sleep 1
for id in $groups; do kill -KILL "-$id"; done
`

/** How long the watcher stays when there is nothing to guard, so that restarts do not start it each time. */
const lingerMs = 2000

/** One watcher for all groups; it runs only while there are groups to guard. */
export function createGroupGuard(): GroupGuard {
  const groups = new Set<number>()
  let watcher: ChildProcess | undefined
  let linger: NodeJS.Timeout | undefined

  const onExit = (): void => {
    for (const pgid of groups) signalGroup(pgid, 'SIGKILL')
  }

  const startWatcher = (): void => {
    const started = spawn('/bin/sh', ['-c', watcherScript, 'devloop-guard'], {
      cwd: '/',
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
      // a group of its own, so that Ctrl-C in the terminal does not end it
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    watcher = started
    const bornAt = Date.now()
    started.unref()
    ;(started.stdin as Socket).unref()
    // without a watcher (it was killed just now, or there is no /bin/sh) the exit hook is what remains
    started.stdin.on('error', () => {})
    started.on('error', () => {})
    started.on('exit', () => {
      if (watcher !== started) return
      watcher = undefined
      if (groups.size > 0 && Date.now() - bornAt > 100) startWatcher()
    })
    for (const pgid of groups) started.stdin.write(`+ ${pgid}\n`)
  }

  return {
    add(pgid) {
      clearTimeout(linger)
      if (groups.size === 0) process.on('exit', onExit)
      groups.add(pgid)
      if (watcher) watcher.stdin?.write(`+ ${pgid}\n`)
      else startWatcher()
    },
    delete(pgid) {
      if (!groups.delete(pgid)) return
      watcher?.stdin?.write(`- ${pgid}\n`)
      if (groups.size > 0) return
      process.off('exit', onExit)
      linger = setTimeout(() => {
        const idle = watcher
        watcher = undefined
        idle?.stdin?.end()
      }, lingerMs).unref()
    },
  }
}
