// Puts watch events together into bursts: the first file of a quiet tree goes at once, while more arrive they are gathered.
import type { WatchEvent } from '../ports/file-watcher.js'
import { secondLook } from './source-tree.js'

export interface Burst {
  /** Absolute paths, as hints. */
  readonly paths: ReadonlySet<string>
  readonly rescan: boolean
  /** Nothing has happened for as long as a second look at what may be half a save waits. */
  readonly rested: boolean
  /** Time of the first event, milliseconds since 1970. */
  readonly first: number
}

export interface Gather {
  add(event: WatchEvent): void
  /** Resolves when a flush that runs has ended; none starts after. */
  stop(): Promise<void>
}

export interface GatherOptions {
  /** Never called again before it has resolved. */
  readonly flush: (burst: Burst) => Promise<void>
  /** Whether a version-control tool is in the middle of something. */
  readonly locked: () => Promise<boolean>
  /** Whether a folder may just be being deleted: all that is hinted at in it is gone. */
  readonly deleting: (paths: ReadonlySet<string>) => boolean
  readonly onDefect: (thrown: unknown) => void
}

/** Milliseconds; `paths` is a number. */
export const gatherTimes = {
  /** From the first event of a quiet tree: enough for the two halves of a temp-and-rename save. */
  first: 2,
  /** While a burst runs: this long without an event ends it, */
  quiet: 12,
  /** and so does this long since its first event, */
  cap: 250,
  /** and so many paths: they are read and sent while the others are still being saved, */
  paths: 256,
  /** unless a version-control lock is held, for at most this long. */
  lockCap: 5000,
  /** What may be the deletion of a whole folder is waited for until nothing more has gone for so long, for at most `lockCap`: */
  deleted: secondLook,
  /** and so much longer for each path, since what deletes many may be held up itself, */
  deletedEach: 5,
  /** up to this. */
  deletedCap: 250,
} as const

/** More paths than one save touches, with its temporary and its backup. */
const severalPaths = 4

export function createGather({ flush, locked, deleting, onDefect }: GatherOptions): Gather {
  let paths = new Set<string>()
  let rescan = false
  let first = 0
  let last = 0
  let bursting = false
  /** Number of paths of the last flush. */
  let flushed = 0
  let timer: NodeJS.Timeout | undefined
  let flushing: Promise<void> | undefined
  let stopped = false

  const pending = (): boolean => rescan || paths.size > 0
  const arm = (ms: number): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      flushing = tick()
        .catch(onDefect)
        .finally(() => {
          flushing = undefined
          if (!stopped && pending()) arm(gatherTimes.quiet)
        })
    }, ms)
  }

  const tick = async (): Promise<void> => {
    // timers come before file events: those that wait already are taken first, or a busy moment would look like a quiet one
    if (bursting) for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
    const now = Date.now()
    if (bursting && now - last < gatherTimes.quiet && now - first < gatherTimes.cap && paths.size < gatherTimes.paths) return
    const rested = now - last >= gatherTimes.deleted
    const goesOn = now - last < Math.min(gatherTimes.deleted + gatherTimes.deletedEach * paths.size, gatherTimes.deletedCap)
    if (now - first < gatherTimes.lockCap && ((goesOn && deleting(paths)) || (await locked()))) return
    if (stopped) return
    const burst: Burst = { paths, rescan, rested, first }
    paths = new Set()
    rescan = false
    flushed = burst.paths.size
    await flush(burst)
    // what came meanwhile belongs to something bigger than one save
    bursting = pending()
  }

  return {
    add(event) {
      if (stopped) return
      const now = Date.now()
      if (!pending()) {
        first = now
        // a burst goes on that was cut at its cap, or whose first files came so fast that they were taken for all of it
        bursting ||= flushed > severalPaths && now - last < gatherTimes.quiet
      }
      last = now
      for (const path of event.paths) paths.add(path)
      rescan ||= event.rescan
      if (!flushing) arm(bursting ? gatherTimes.quiet : gatherTimes.first)
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      await flushing
    },
  }
}
