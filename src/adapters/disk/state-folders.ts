// The state folders of a user's instances, each with a note of whose it is, so that those of projects that are gone can be told.
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { madeName } from '../../model/made-image.js'
import type { AbandonedFolder, StateFolders } from '../../ports/made-images.js'
import { createMadeImages } from './made-images.js'

const noteName = 'instance.json'
const journalName = 'made.jsonl'
/** What instances are called; nothing else in the folder is ours to look at. */
const instanceName = /^i[0-9a-f]{10}$/

/** The journal of an instance. @param dir its state folder */
export const madeImagesOf = (dir: string): ReturnType<typeof createMadeImages> => createMadeImages(join(dir, journalName))

/** Say whose state folder it is. @param dir made when it is needed */
export async function noteInstance(dir: string, devloopfile: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await writeFile(join(dir, noteName), `${JSON.stringify({ devloopfile })}\n`, { mode: 0o600 })
}

/**
 * @param root holds the state folders of all instances
 * @param own the instance that asks: it is never abandoned, nor another one
 */
export function createStateFolders(root: string, own: string): StateFolders {
  const others = async (than: string): Promise<readonly string[]> =>
    (await readdir(root).catch(() => [])).filter((name) => instanceName.test(name) && name !== than)
  return {
    async abandoned(unusedSince) {
      const found: AbandonedFolder[] = []
      for (const instance of await others(own)) {
        const dir = join(root, instance)
        if (!(await isAbandoned(dir, unusedSince))) continue
        found.push({
          instance,
          made: madeImagesOf(dir),
          remove: () => rm(dir, { recursive: true, force: true }).catch(() => {}),
        })
      }
      return found
    },
    async madeByOthers(than) {
      const names = new Set<string>()
      for (const instance of await others(than))
        for (const made of (await madeImagesOf(join(root, instance)).load()).images) names.add(madeName(made))
      return names
    },
  }
}

async function isAbandoned(dir: string, unusedSince: number): Promise<boolean> {
  const note = await readFile(join(dir, noteName), 'utf8').catch(() => undefined)
  // made by a version that left no note: it may belong to anybody
  if (note === undefined) return false
  const devloopfile = devloopfileOf(note)
  if (devloopfile === undefined || (await exists(dirname(devloopfile)))) return false
  for (const name of [noteName, 'daemon.log', journalName]) {
    const used = await stat(join(dir, name)).catch(() => undefined)
    if (used && used.mtimeMs > unusedSince) return false
  }
  return true
}

const devloopfileOf = (note: string): string | undefined => {
  try {
    const { devloopfile } = JSON.parse(note) as { devloopfile?: unknown }
    return typeof devloopfile === 'string' ? devloopfile : undefined
  } catch {
    return undefined
  }
}

/** Whatever else than "not there" keeps it from being found, it may be there. */
const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (thrown: NodeJS.ErrnoException) => thrown.code !== 'ENOENT' && thrown.code !== 'ENOTDIR',
  )
