// The stage folders on disk: `STATE/stage/IMAGE/ID` is what an image holds, with markers beside it that say what was done to it.
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Command } from '../../model/plan.js'
import { createTurns } from './in-turn.js'

export interface StageStore {
  /** Delete what writers of an earlier run left; nothing may be written yet. Never rejects. */
  sweep(): Promise<void>
  /** A path beside a stage, for one writer to make a folder at. */
  scratch(root: string): string
  /** A new empty folder for an image; not complete until `complete` says so. Left-over incomplete ones are deleted. */
  create(image: string): Promise<string>
  /** The stage holds everything; survives a restart of this process. */
  complete(root: string): Promise<void>
  /** Delete a stage and its markers. */
  discard(root: string): Promise<void>
  isComplete(root: string): Promise<boolean>
  /** Commands in one stage run one at a time: two apps may share it. */
  inTurn<T>(root: string, job: () => Promise<T>): Promise<T>
  /** Run a prepare command unless it was run in this stage, to its end, before (also by an earlier daemon). */
  prepareOnce(root: string, command: Command, run: () => Promise<void>): Promise<void>
  /** Delete the stages of the same image that are older than this one, but for those in use. Never rejects; an abort leaves the rest for later. */
  discardOlder(root: string, inUse: ReadonlySet<string>, signal: AbortSignal): Promise<void>
}

const writing = '.writing.'

/** The id of a stage, unique among all stages and growing with time. */
export const stageId = (root: string): string => basename(root)

export function createStageStore(stateDir: string): StageStore {
  /** Stages that are being filled now. */
  const filling = new Set<string>()
  // `+` is in no image name, so no two names share a folder
  const folderOf = (image: string): string => join(stateDir, 'stage', image.replaceAll('/', '+'))
  const completeMarker = (root: string): string => `${root}.complete`
  const preparedMarker = (root: string, command: Command): string =>
    `${root}.prepared.${createHash('sha256').update(JSON.stringify(command)).digest('hex').slice(0, 12)}`

  const turns = new Map<string, ReturnType<typeof createTurns>>()
  const inTurn: StageStore['inTurn'] = (root, job) => {
    const turn = turns.get(root) ?? createTurns()
    turns.set(root, turn)
    return turn(job)
  }

  const discard = async (root: string): Promise<void> => {
    filling.delete(root)
    turns.delete(root)
    // the marker first: a half deleted stage must not look complete
    await rm(completeMarker(root), { force: true })
    await rm(root, { recursive: true, force: true, maxRetries: 3 })
    const prefix = `${basename(root)}.`
    const beside = await readdir(dirname(root)).catch(() => [])
    await Promise.all(
      beside
        .filter((name) => name.startsWith(prefix))
        .map((name) => rm(join(dirname(root), name), { recursive: true, force: true })),
    )
  }

  const isComplete = async (root: string): Promise<boolean> => {
    const found = await Promise.all([stat(root), stat(completeMarker(root))]).catch(() => undefined)
    return found?.[0].isDirectory() ?? false
  }

  const stagesIn = async (folder: string): Promise<string[]> => {
    const names = await readdir(folder).catch(() => [])
    return names.filter((name) => /^[0-9a-z]+$/.test(name)).map((name) => join(folder, name))
  }

  return {
    async sweep() {
      const folders = await readdir(join(stateDir, 'stage')).catch(() => [])
      for (const folder of folders.map((name) => join(stateDir, 'stage', name))) {
        const left = (await readdir(folder).catch(() => [])).filter((name) => name.includes(writing))
        for (const name of left) await rm(join(folder, name), { recursive: true, force: true }).catch(() => {})
      }
    },
    scratch: (root) => `${root}${writing}${randomBytes(4).toString('hex')}`,
    discard,
    isComplete,
    async create(image) {
      const folder = folderOf(image)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      for (const root of await stagesIn(folder)) if (!filling.has(root) && !(await isComplete(root))) await discard(root)
      const root = join(folder, `${Date.now().toString(36).padStart(9, '0')}${randomBytes(4).toString('hex')}`)
      filling.add(root)
      await mkdir(root)
      return root
    },
    async complete(root) {
      await writeMarker(completeMarker(root), '')
      filling.delete(root)
    },
    inTurn,
    prepareOnce: (root, command, run) =>
      inTurn(root, async () => {
        const marker = preparedMarker(root, command)
        if (await stat(marker).catch(() => undefined)) return
        await run()
        await writeMarker(marker, `${JSON.stringify(command)}\n`)
      }),
    async discardOlder(root, inUse, signal) {
      const older = (await stagesIn(dirname(root))).filter((other) => other < root && !inUse.has(other) && !filling.has(other))
      // what cannot be deleted now is tried again after the next deploy
      for (const other of older) if (!signal.aborted) await discard(other).catch(() => {})
    },
  }
}

/** Whole or not at all. */
async function writeMarker(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
}
