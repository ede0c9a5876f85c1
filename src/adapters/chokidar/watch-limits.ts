// What the system allows in watches, and the errors that say it is used up.
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { DevloopError } from '../../errors/devloop-error.js'

/** @param name of a sysctl */
function readLimit(name: string): number | undefined {
  try {
    const value = Number(readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8'))
    return Number.isSafeInteger(value) && value > 0 ? value : undefined
  } catch {
    return undefined
  }
}

/** Which of two limits is met first: a user namespace, such as that of a container, may have one of its own. */
function lowest(ofUser: string, ofNamespace: string): { readonly name: string; readonly limit: number | undefined } {
  const [limit, own] = [readLimit(ofUser), readLimit(ofNamespace)]
  return own !== undefined && own < (limit ?? 0) ? { name: ofNamespace, limit: own } : { name: ofUser, limit }
}

export interface WatchAllowance {
  /** The sysctl that says it. */
  readonly name: string
  /** How many folders this user may watch. */
  readonly limit: number
  /** How many watches the programs of this user have now, as far as they can be looked into. */
  readonly used: number
}

/** Undefined where the system has no such limit. */
export async function watchAllowance(signal: AbortSignal): Promise<WatchAllowance | undefined> {
  const { name, limit } = lowest('fs.inotify.max_user_watches', 'user.max_inotify_watches')
  return limit === undefined ? undefined : { name, limit, used: await watchesInUse(signal) }
}

/** What programs come and go meanwhile is left out. */
async function watchesInUse(signal: AbortSignal): Promise<number> {
  const own = process.getuid?.()
  let count = 0
  for (const pid of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    signal.throwIfAborted()
    await nextTurn()
    try {
      if (statSync(`/proc/${pid}`).uid !== own) continue
      for (const fd of readdirSync(`/proc/${pid}/fd`))
        if (readlinkSync(`/proc/${pid}/fd/${fd}`) === 'anon_inode:inotify')
          count += readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8').match(/^inotify /gm)?.length ?? 0
    } catch {
      // it has ended, or is not to be looked into
    }
  }
  return count
}

/** How the limit of watches is raised. */
export const raiseWatches = (name: string, limit: number | undefined): string =>
  `Raise it with: sudo sysctl ${name}=${Math.max(524_288, 2 * (limit ?? 0))} (and in /etc/sysctl.d, to keep it), or name large folders in .dockerignore.`

/**
 * How many events in one turn of the event loop may mean that the system's queue overflowed, which nothing reports.
 * Half of what it holds: events of directories that are no longer watched are in it, too, and are not counted.
 */
export const suspiciousBurst = (): number => (readLimit('fs.inotify.max_queued_events') ?? 16_384) / 2

/**
 * What is told when directories cannot be watched.
 * @param unwatched how many, of `all`
 */
export function watchError(error: NodeJS.ErrnoException, unwatched: number, all: number, rescanMs: number): DevloopError {
  const message = `${unwatched} of ${all} folders cannot be watched, so changes in them are looked for every ${rescanMs / 1000} s.`
  if (error.code === 'ENOSPC') {
    const { name, limit } = lowest('fs.inotify.max_user_watches', 'user.max_inotify_watches')
    return new DevloopError('watch/limit', message, {
      why: `The limit of watches for this user, ${name}${limit ? ` = ${limit}` : ''}, is used up.`,
      help: raiseWatches(name, limit),
      cause: error,
    })
  }
  if (error.code === 'EMFILE' || error.code === 'ENFILE') {
    const { name, limit } = lowest('fs.inotify.max_user_instances', 'user.max_inotify_instances')
    return new DevloopError('watch/limit', message, {
      why: `No further watcher or open file is allowed (${error.code}); ${name}${limit ? ` is ${limit}` : ' limits watchers'}, \`ulimit -n\` open files.`,
      help: `Raise them with: sudo sysctl ${name}=${Math.max(512, 2 * (limit ?? 0))}, and ulimit -n 65536 before devloop is started.`,
      cause: error,
    })
  }
  return new DevloopError('watch/failed', message, { why: error.message, cause: error })
}
