// The daemon's own log file, for what nobody was there to see, and the reports of defects.
import { renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import type { NewLogLine } from '../control/context.js'
import type { State } from '../model/state.js'

export interface DaemonLog {
  line(line: NewLogLine): void
  /** Logs a defect with its stack and writes the state beside, through `mask`. @returns the log's path */
  defect(thrown: unknown, state: State, mask: (text: string) => string): string
  close(): void
}

/** @param maxSize bytes of one file; one older is kept beside it */
export function createDaemonLog(folder: string, maxSize = 5_000_000): DaemonLog {
  const file = join(folder, 'daemon.log')
  let size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > maxSize) {
    renameSync(file, `${file}.1`)
    size = 0
  }
  const destination = pino.destination({ dest: file, mode: 0o600, sync: true, mkdir: true })
  const logger = pino({ base: { pid: process.pid } }, destination)
  destination.on('write', (bytes) => {
    size += bytes
    if (size <= maxSize) return
    // a daemon may run for months
    size = 0
    renameSync(file, `${file}.1`)
    destination.reopen()
  })
  return {
    line({ level, text, ...rest }) {
      logger[level](rest, text)
    },
    defect(thrown, state, mask) {
      logger.fatal({ err: thrown }, 'defect')
      // the plan may hold what the user wrote into env: it stays out of reports
      const { plan: _plan, ...rest } = state
      writeFileSync(join(folder, 'defect.json'), mask(JSON.stringify(rest, undefined, 2)), { mode: 0o600 })
      return file
    },
    close: () => destination.end(),
  }
}
