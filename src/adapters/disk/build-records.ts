// Build records as files, one for each image and runtime: a line of JSON about the build, one for each path, and the count.
import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'
import type { BuildRecord } from '../../model/build-record.js'
import type { Entry } from '../../model/tree.js'

export interface BuildRecords {
  load(runtime: BuildRecord['runtime']): Promise<BuildRecord[]>
  save(record: BuildRecord): Promise<void>
  /** Delete what is of no image of these and was not written since that time. @returns the names of the deleted files */
  keep(images: ReadonlySet<string>, unusedSince: number): Promise<readonly string[]>
}

const format = 1

const suffix = '.jsonl'

/** How many paths are put into one write. */
const batch = 2000

/**
 * @param folder made when it is needed
 * @param owner whose records they are; those of others are passed over
 * @param onProblem told about each file that is left out
 */
export function createBuildRecords(
  folder: string,
  owner: { readonly project: string; readonly instance: string },
  onProblem: (error: DevloopError) => void,
): BuildRecords {
  /** The end of the file's name, which tells images apart. */
  const endOf = (image: string): string => `-${createHash('sha256').update(image).digest('hex').slice(0, 8)}${suffix}`
  const fileOf = ({ image, runtime }: BuildRecord): string =>
    `${runtime}-${image.replace(/[^A-Za-z0-9_.-]+/g, '-').slice(0, 80)}${endOf(image)}`

  return {
    async load(runtime) {
      const names = await readdir(folder).catch((thrown: NodeJS.ErrnoException) => {
        if (thrown.code !== 'ENOENT') onProblem(unreadable(folder, thrown.message))
        return []
      })
      const records: BuildRecord[] = []
      for (const name of names) {
        if (!name.endsWith(suffix) || !name.startsWith(`${runtime}-`)) continue
        const file = join(folder, name)
        try {
          const record = parse(await readFile(file, 'utf8'), owner)
          if (record?.runtime === runtime) records.push(record)
        } catch (thrown) {
          onProblem(unreadable(file, thrown instanceof Error ? thrown.message : String(thrown)))
        }
      }
      return records
    },

    async keep(images, unusedSince) {
      const kept = [...images].map(endOf)
      const gone: string[] = []
      for (const name of await readdir(folder).catch(() => [])) {
        // what a killed process was writing has an end of its own
        if ((!name.endsWith(suffix) && !name.endsWith('.tmp')) || kept.some((end) => name.endsWith(end))) continue
        const file = join(folder, name)
        const found = await stat(file).catch(() => undefined)
        if (!found || found.mtimeMs > unusedSince) continue
        await rm(file, { force: true }).catch(() => {})
        gone.push(name)
      }
      return gone
    },

    async save(record) {
      const file = join(folder, fileOf(record))
      const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        await chmod(folder, 0o700)
        const handle = await open(temporary, 'wx', 0o600)
        try {
          for (const text of lines(record, owner)) await handle.appendFile(text)
          await handle.sync()
        } finally {
          await handle.close()
        }
        await rename(temporary, file)
        await syncFolder(folder)
      } catch (thrown) {
        await rm(temporary, { force: true }).catch(() => {})
        throw new DevloopError('state/unwritable', `The build record ${file} could not be written.`, {
          why: thrown instanceof Error ? thrown.message : String(thrown),
          cause: thrown,
        })
      }
    },
  }
}

/** Makes the rename last; some systems cannot, and then it lasts when they see fit. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close()
}

function* lines(record: BuildRecord, owner: object): Generator<string> {
  const { tree, ...rest } = record
  yield `${JSON.stringify({ format, ...owner, ...rest })}\n`
  let text = ''
  let count = 0
  for (const [path, entry] of tree) {
    text += `${JSON.stringify(entry.kind === 'file' ? [path, entry.hash, entry.mode, entry.size] : [path, entry.target])}\n`
    if (++count % batch !== 0) continue
    yield text
    text = ''
  }
  yield `${text}${JSON.stringify({ entries: count })}\n`
}

/** @returns undefined for somebody else's record @throws on whatever is not a whole record */
function parse(text: string, owner: { readonly project: string; readonly instance: string }): BuildRecord | undefined {
  const rows = text.split('\n')
  const head = JSON.parse(rows[0] ?? '') as Record<string, unknown>
  if (head.format !== format) throw new Error(`its format is ${String(head.format)}, not ${format}`)
  if (head.project !== owner.project || head.instance !== owner.instance) return undefined
  const { entries } = JSON.parse(rows.at(-2) ?? '') as { entries?: unknown }
  if (rows.at(-1) !== '' || entries !== rows.length - 3) throw new Error('it is not complete')
  const tree = new Map<string, Entry>()
  for (const row of rows.slice(1, -2)) {
    const [path, what, mode, size] = JSON.parse(row) as unknown[]
    if (typeof path !== 'string' || typeof what !== 'string') throw new Error('a path in it is not valid')
    if (mode === undefined) tree.set(path, { kind: 'link', target: what })
    else if (typeof mode === 'number' && typeof size === 'number') tree.set(path, { kind: 'file', hash: what, mode, size })
    else throw new Error('a path in it is not valid')
  }
  const {
    image,
    runtime,
    digest,
    ref,
    engineRef,
    bases,
    baseRefs = [],
    platform,
    inputs,
    builtAt,
    config,
    emptied = [],
  } = head as unknown as BuildRecord
  const strings = [image, digest, ref, inputs, config?.workingDir, config?.user]
  const lists = [config?.entrypoint, config?.cmd, baseRefs, emptied]
  const valid =
    strings.every((value) => typeof value === 'string') &&
    [engineRef, bases, platform].every((value) => value === undefined || typeof value === 'string') &&
    lists.every((list) => Array.isArray(list) && list.every((value) => typeof value === 'string')) &&
    (runtime === 'kubernetes' || runtime === 'process') &&
    typeof builtAt === 'number' &&
    typeof config.shell === 'boolean'
  if (!valid) throw new Error('a field is missing or of the wrong kind')
  return {
    image,
    runtime,
    digest,
    ref,
    ...(engineRef === undefined ? {} : { engineRef }),
    ...(bases === undefined ? {} : { bases }),
    ...(baseRefs.length === 0 ? {} : { baseRefs }),
    ...(platform === undefined ? {} : { platform }),
    inputs,
    tree,
    ...(emptied.length === 0 ? {} : { emptied }),
    config,
    builtAt,
  }
}

const unreadable = (file: string, why: string): DevloopError =>
  new DevloopError('state/unreadable', `The build record ${file} could not be read and is left out.`, { why })
