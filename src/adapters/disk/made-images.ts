// The journal of made images as one file: a line of JSON each, appended to, and written anew when it is thinned out.
import { appendFile, chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'
import { madeName, type MadeImage, type RanBuild } from '../../model/made-image.js'
import type { MadeImages } from '../../ports/made-images.js'

/** More than this is never kept, whatever cannot be removed: the oldest goes. */
const limit = 5000

type Line = { readonly made: MadeImage } | { readonly ran: RanBuild }

/** @param file made, with its folder, when it is needed */
export function createMadeImages(file: string): MadeImages {
  // one write at a time: a line that is added while the file is written anew would be lost
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work)
    last = next.catch(() => {})
    return next
  }
  const write = (work: () => Promise<void>): Promise<void> =>
    inTurn(() =>
      work().catch((thrown: unknown) => {
        throw new DevloopError('state/unwritable', `The list of made images ${file} could not be written.`, {
          why: thrown instanceof Error ? thrown.message : String(thrown),
          cause: thrown,
        })
      }),
    )
  const read = async (): Promise<{ images: MadeImage[]; builds: RanBuild[] }> => {
    const text = await readFile(file, 'utf8').catch(() => '')
    const images = new Map<string, MadeImage>()
    const builds: RanBuild[] = []
    for (const row of text.split('\n')) {
      const line = parse(row)
      if (line && 'ran' in line) builds.push(line.ran)
      if (!line || !('made' in line)) continue
      const key = keyOf(line.made)
      images.delete(key)
      images.set(key, line.made)
    }
    return { images: [...images.values()].slice(-limit), builds: builds.slice(-limit) }
  }
  const append = (line: Line): Promise<void> =>
    write(async () => {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      // begins with a line end, so that a line that was torn spoils no other
      await appendFile(file, `\n${JSON.stringify(line)}\n`, { mode: 0o600 })
    })
  let loaded: { images: ReadonlySet<string>; builds: ReadonlySet<string> } = { images: new Set(), builds: new Set() }

  return {
    add: (made) => append({ made }),
    ran: (ran) => append({ ran }),
    load: () =>
      inTurn(async () => {
        const found = await read()
        loaded = { images: new Set(found.images.map(exact)), builds: new Set(found.builds.map(exact)) }
        return found
      }),
    keep: (images, builds) =>
      write(async () => {
        const kept = { images: new Set(images.map(exact)), builds: new Set(builds.map(exact)) }
        const now = await read()
        const lines: Line[] = [
          ...now.images.filter((one) => kept.images.has(exact(one)) || !loaded.images.has(exact(one))).map((made) => ({ made })),
          ...now.builds.filter((one) => kept.builds.has(exact(one)) || !loaded.builds.has(exact(one))).map((ran) => ({ ran })),
        ]
        if (lines.length === now.images.length + now.builds.length && lines.length > 0) return
        const temporary = `${file}.tmp`
        try {
          const handle = await open(temporary, 'w', 0o600)
          try {
            await chmod(temporary, 0o600)
            await handle.writeFile(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
            await handle.sync()
          } finally {
            await handle.close()
          }
          await rename(temporary, file)
        } catch (thrown) {
          await rm(temporary, { force: true }).catch(() => {})
          if ((thrown as NodeJS.ErrnoException).code === 'ENOENT' && lines.length === 0) return
          throw thrown
        }
      }),
  }
}

const keyOf = (made: MadeImage): string => `${made.engine} ${madeName(made)}`
const exact = (line: MadeImage | RanBuild): string => JSON.stringify(Object.entries(line).sort(([a], [b]) => (a < b ? -1 : 1)))

const imageFields = ['image', 'id', 'repository', 'tag', 'engine', 'cluster'] as const

function parse(row: string): Line | undefined {
  if (row === '') return undefined
  let value: { made?: Partial<MadeImage>; ran?: Partial<RanBuild> } | null
  try {
    value = JSON.parse(row) as typeof value
  } catch {
    return undefined
  }
  const { made, ran } = value ?? {}
  if (made && imageFields.every((field) => typeof made[field] === 'string') && typeof made.at === 'number')
    return { made: { ...(made as MadeImage), pushed: made.pushed === true } }
  if (ran && typeof ran.image === 'string' && typeof ran.engine === 'string' && typeof ran.from === 'number')
    return typeof ran.to === 'number' ? { ran: ran as RanBuild } : undefined
  return undefined
}
