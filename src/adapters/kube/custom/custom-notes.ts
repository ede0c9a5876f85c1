// What must be known to delete a custom deploy again, also after its resource has left the Devloopfile: kept on this machine and not
// in the cluster, because it is run as a command.
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DevloopError } from '../../../errors/devloop-error.js'
import type { Command } from '../../../model/plan.js'

export interface CustomNote {
  /** Undefined = there is nothing to run. */
  readonly delete?: Command
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

export interface CustomNotes {
  /** By resource. */
  all(): Promise<ReadonlyMap<string, CustomNote>>
  /** Undefined forgets it. On disk when it resolves. @throws DevloopError state/unwritable */
  set(resource: string, note: CustomNote | undefined): Promise<void>
}

/** One file for each cluster and namespace, that only this user can read. */
export function createCustomNotes(stateDir: string, place: { readonly server: string; readonly namespace: string }): CustomNotes {
  const id = createHash('sha256').update(`${place.server} ${place.namespace}`).digest('hex').slice(0, 12)
  const file = join(stateDir, 'custom', `${id}.json`)
  let turn: Promise<unknown> = Promise.resolve()

  const read = async (): Promise<Map<string, CustomNote>> => {
    const text = await readFile(file, 'utf8').catch(() => '{}')
    try {
      return new Map(Object.entries(JSON.parse(text) as Record<string, CustomNote>))
    } catch {
      // cut in the middle by a full disk: then nothing is known
      return new Map()
    }
  }
  const write = async (resource: string, note: CustomNote | undefined): Promise<void> => {
    const notes = await read()
    if (note) notes.set(resource, note)
    else if (!notes.delete(resource)) return
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      await writeFile(`${file}.new`, JSON.stringify(Object.fromEntries(notes)), { mode: 0o600 })
      await rename(`${file}.new`, file)
    } catch (thrown) {
      throw new DevloopError('state/unwritable', `${file} cannot be written.`, { why: (thrown as Error).message, cause: thrown })
    }
  }
  return {
    async all() {
      await turn
      return read()
    },
    set(resource, note) {
      const next = turn.then(() => write(resource, note))
      turn = next.catch(() => {})
      return next
    },
  }
}
