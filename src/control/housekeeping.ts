// Removes what builds left behind, when nobody waits for anything: after builds, and at most once an hour.
import { isAbort } from '../errors/devloop-error.js'
import type { ControlContext, Controller } from './context.js'
import type { PruneReport } from './prune.js'
import { isBusy, pruneRound } from './prune-round.js'

/** How long nothing must have been going on. Milliseconds. */
const quietMs = 10_000
/** At most one round in this time. Milliseconds. */
const intervalMs = 3_600_000
/** So many builds are a reason for another round sooner: else a busy hour could fill a disk. */
const manyBuilds = 20

export function createHousekeepingController(context: ControlContext): Controller {
  const { store, log, onDefect } = context
  const stopping = new AbortController()
  /** When the newest build of each image ended. */
  const ended = new Map<string, number>()
  const told = new Set<string>()
  let builds = 0
  let lastRound = -Infinity
  let busyAt = Date.now()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined

  const look = (): void => {
    for (const { name, build } of Object.values(store.state().images)) {
      if (build?.finishedAt === undefined || ended.get(name) === build.finishedAt) continue
      ended.set(name, build.finishedAt)
      builds++
    }
    if (isBusy(context)) busyAt = Date.now()
    plan()
  }

  const plan = (): void => {
    clearTimeout(timer)
    if (builds === 0 || running || stopping.signal.aborted || store.state().plan?.settings.prune === false) return
    const from = builds >= manyBuilds ? -Infinity : lastRound + intervalMs
    timer = setTimeout(wake, Math.max(busyAt + quietMs, from) - Date.now())
    // nobody waits for it, also not the end of the process
    timer.unref()
  }

  const wake = (): void => {
    if (isBusy(context)) busyAt = Date.now()
    else if (context.runtime.current && store.state().runtime.status === 'connected')
      running = round()
        .catch(onDefect)
        .finally(() => {
          running = undefined
          plan()
        })
    if (!running) plan()
  }

  const round = async (): Promise<void> => {
    const done = builds
    try {
      const report = await pruneRound(context, { dryRun: false, busy: () => isBusy(context) }, stopping.signal)
      tell(report)
      // what was broken off goes on at the next quiet moment
      if (report.interrupted) return void (busyAt = Date.now())
    } catch (thrown) {
      if (!isAbort(thrown)) throw thrown
    }
    builds -= done
    lastRound = Date.now()
  }

  const tell = ({ removed, problems }: PruneReport): void => {
    for (const { message, why } of problems) {
      if (told.has(message)) continue
      told.add(message)
      log({ resource: '', source: 'housekeeping', level: 'warn', text: why === undefined ? message : `${message} (${why})` })
    }
    const text = summary(removed)
    if (text !== '') log({ resource: '', source: 'housekeeping', level: 'info', text: `removed what is not needed: ${text}` })
  }

  const unsubscribe = store.subscribe(look)
  return {
    async stop() {
      unsubscribe()
      clearTimeout(timer)
      stopping.abort()
      await running
    },
  }
}

const places = {
  engine: 'images in the engine',
  registry: 'images in the registry',
  cache: 'of build cache',
  state: 'in the state folder',
}

function summary(removed: PruneReport['removed']): string {
  const parts = Object.entries(places).flatMap(([from, words]) => {
    const of = removed.filter((one) => one.from === from)
    if (of.length === 0) return []
    const bytes = of.reduce((sum, one) => sum + (one.bytes ?? 0), 0)
    return [`${from === 'cache' ? `${(bytes / 1e6).toFixed(1)} MB` : of.length} ${words}`]
  })
  return parts.join(', ')
}
