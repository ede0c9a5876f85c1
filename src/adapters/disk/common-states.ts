// What containers and the local side had in common: one file each, an entry a line as JSON, only ever appended to between rewrites.
import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'
import type { Entry, Wanted } from '../../model/tree.js'
import type { CommonState } from '../../ports/state-files.js'

export interface CommonStates {
  load(place: string): Promise<CommonState | undefined>
  set(place: string, common: CommonState): Promise<void>
  note(place: string, changes: ReadonlyMap<string, Wanted>): void
  keep(places: ReadonlySet<string>): Promise<void>
}

const suffix = '.common'

/** A pod that is away for a shorter time, in milliseconds, may come back with its volume. */
const keptMs = 7 * 24 * 3_600_000

/** A change goes to the system before `note` returns, so it survives the death of this process. @param folder made when it is needed */
export function createCommonStates(folder: string): CommonStates {
  const fileOf = (place: string): string => join(folder, createHash('sha256').update(place).digest('hex').slice(0, 40) + suffix)
  const unwritable = (thrown: unknown): DevloopError =>
    new DevloopError('state/unwritable', `What containers have in common with local folders could not be noted, in ${folder}.`, {
      why: thrown instanceof Error ? thrown.message : String(thrown),
      cause: thrown,
    })

  return {
    async load(place) {
      let text: string
      try {
        text = await readFile(fileOf(place), 'utf8')
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw new DevloopError(
          'state/unreadable',
          `What a container has in common with local folders could not be read: ${fileOf(place)}`,
          {
            why: thrown instanceof Error ? thrown.message : String(thrown),
            help: 'Remove the file: then what differs on the two sides is told, and what one side lacks is copied.',
            cause: thrown,
          },
        )
      }
      const [first = '', ...lines] = text.split('\n')
      const head = parsed(first) as { containerId?: unknown } | undefined
      if (typeof head?.containerId !== 'string') return undefined
      const tree = new Map<string, Entry>()
      for (const line of lines) {
        const entry = parsed(line) as readonly [string, Wanted] | undefined
        // a line that was torn when the process ended: its change is found again
        if (!Array.isArray(entry)) continue
        const [path, held] = entry
        if (held.kind === 'absent') tree.delete(path)
        else tree.set(path, held)
      }
      return { containerId: head.containerId, tree }
    },

    async set(place, { containerId, tree }) {
      const file = fileOf(place)
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        const lines = [JSON.stringify({ containerId, place }), ...[...tree].map((entry) => JSON.stringify(entry))]
        await writeFile(`${file}.new`, `${lines.join('\n')}\n`, { mode: 0o600 })
        await rename(`${file}.new`, file)
      } catch (thrown) {
        throw unwritable(thrown)
      }
    },

    note(place, changes) {
      if (changes.size === 0) return
      try {
        // a line that was torn before is ended by the first line break
        appendFileSync(fileOf(place), `\n${[...changes].map((change) => JSON.stringify(change)).join('\n')}\n`)
      } catch (thrown) {
        throw unwritable(thrown)
      }
    },

    async keep(places) {
      const kept = new Set([...places].map(fileOf))
      for (const name of await readdir(folder).catch(() => [])) {
        const file = join(folder, name)
        if (kept.has(file)) continue
        const found = await stat(file).catch(() => undefined)
        if (found && Date.now() - found.mtimeMs > keptMs) await rm(file, { force: true })
      }
    },
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
