// Which paths were ever about to be written into a container: one file each, appended to, a path a line as JSON.
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'

export interface TouchJournals {
  touched(containerId: string): Promise<ReadonlySet<string> | undefined>
  touch(containerId: string, paths: readonly string[]): void
  replace(containerId: string, paths: readonly string[]): Promise<void>
  keep(containerIds: ReadonlySet<string>): Promise<void>
  close(): void
}

interface Journal {
  readonly file: number
  /** Paths that need not be written again. */
  readonly noted: Set<string>
}

/** How many journals are kept open; the one that was used longest ago is closed first. */
const maxOpen = 64

/** How many paths of a journal are remembered so as not to be written again. */
const maxNoted = 20_000

const suffix = '.paths'

/**
 * A write goes to the system before `touch` returns, so it survives the death of this process; it is not forced to the disk,
 * because a container does not outlive its machine either. It takes some microseconds.
 * @param folder made when it is needed
 */
export function createTouchJournals(folder: string): TouchJournals {
  const open = new Map<string, Journal>()

  const journalOf = (containerId: string): Journal => {
    const known = open.get(containerId)
    if (known) {
      // the order of the map is that of use
      open.delete(containerId)
      open.set(containerId, known)
      return known
    }
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const journal: Journal = { file: openSync(join(folder, fileName(containerId)), 'a+', 0o600), noted: new Set() }
    endLine(journal.file)
    open.set(containerId, journal)
    const [oldest] = open.keys()
    if (open.size > maxOpen && oldest !== undefined) close(oldest)
    return journal
  }

  const close = (containerId: string): void => {
    const journal = open.get(containerId)
    open.delete(containerId)
    if (journal) closeSync(journal.file)
  }

  return {
    async touched(containerId) {
      const file = join(folder, fileName(containerId))
      let text: string
      try {
        text = await readFile(file, 'utf8')
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw new DevloopError('state/unreadable', `The list of what was written into a container could not be read: ${file}`, {
          why: thrown instanceof Error ? thrown.message : String(thrown),
          help: 'Remove the file and delete the pod, so that it starts anew.',
          cause: thrown,
        })
      }
      const paths = new Set<string>()
      for (const line of text.split('\n')) {
        const path = parseLine(line)
        if (path !== undefined) paths.add(path)
      }
      return paths
    },

    touch(containerId, paths) {
      try {
        const { file, noted } = journalOf(containerId)
        if (noted.size > maxNoted) noted.clear()
        const fresh = paths.filter((path) => !noted.has(path))
        if (fresh.length === 0) return
        writeAll(file, fresh.map((path) => `${JSON.stringify(path)}\n`).join(''))
        for (const path of fresh) noted.add(path)
      } catch (thrown) {
        // what was begun is ended with a line break when it is opened again
        close(containerId)
        throw unwritable(folder, thrown)
      }
    },

    async replace(containerId, paths) {
      const file = join(folder, fileName(containerId))
      const temporary = `${file}.tmp`
      try {
        await writeFile(temporary, paths.map((path) => `${JSON.stringify(path)}\n`).join(''), { mode: 0o600 })
        close(containerId)
        renameSync(temporary, file)
      } catch (thrown) {
        await rm(temporary, { force: true }).catch(() => {})
        throw unwritable(folder, thrown)
      }
    },

    async keep(containerIds) {
      for (const id of open.keys()) if (!containerIds.has(id)) close(id)
      const kept = new Set([...containerIds].map(fileName))
      const names = await readdir(folder).catch(() => [])
      for (const name of names)
        if ((name.endsWith(suffix) && !kept.has(name)) || name.endsWith(`${suffix}.tmp`))
          await rm(join(folder, name), { force: true })
    },

    close() {
      for (const id of open.keys()) close(id)
    },
  }
}

const unwritable = (folder: string, thrown: unknown): DevloopError =>
  new DevloopError('state/unwritable', `The list of what is written into a container could not be written, in ${folder}.`, {
    why: thrown instanceof Error ? thrown.message : String(thrown),
    cause: thrown,
  })

function fileName(containerId: string): string {
  const encoded = encodeURIComponent(containerId)
  return (encoded.length <= 150 ? encoded : createHash('sha256').update(containerId).digest('hex')) + suffix
}

/** A line that was torn when the process or the disk ended is given an end, so that it spoils no other. */
function endLine(file: number): void {
  const { size } = fstatSync(file)
  if (size === 0) return
  const last = Buffer.alloc(1)
  readSync(file, last, 0, 1, size - 1)
  if (last[0] !== 0x0a) writeAll(file, '\n')
}

function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written)
}

/** Undefined: torn. Its path was not written to the container, because that waits for the line. */
function parseLine(line: string): string | undefined {
  if (!line.startsWith('"') || !line.endsWith('"')) return undefined
  try {
    const path: unknown = JSON.parse(line)
    return typeof path === 'string' ? path : undefined
  } catch {
    return undefined
  }
}
