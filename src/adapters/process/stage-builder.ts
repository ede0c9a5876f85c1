// "Building" in the process runtime: the context is laid out in a stage folder, as the image would hold it.
import { chmod, copyFile, constants, mkdir, readFile, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'
import { compileLiveRules } from '../../model/live-rules.js'
import type { ImageSpec } from '../../model/plan.js'
import type { Entry, Tree } from '../../model/tree.js'
import type { ImageBuilder } from '../../ports/image-builder.js'
import { dockerfileWorkdir } from './dockerfile-workdir.js'
import { forEachLimited } from '../../model/for-each-limited.js'
import { inStage } from './stage-paths.js'
import { stageId, type StageStore } from './stage-store.js'

/** Working folder of an image that has no Dockerfile. */
const defaultWorkdir = '/app'

/**
 * A file that `sync` rules cover lands where they say, every other file in the working folder at its path in the context. A file
 * that is gone meanwhile is left out and one that changed is taken as it is: the save that did it is reported, and synced, anyway.
 * Symbolic links are kept as they are, absolute ones too: devloop itself never follows them out of the stage.
 */
export function createStageBuilder(stages: StageStore): ImageBuilder {
  return {
    async build({ image, tree }, progress, signal) {
      signal.throwIfAborted()
      progress.stage('context')
      const workingDir = await workdirOf(image)
      const step = { id: 'stage', name: `stage ${tree.size} files`, startedAt: Date.now() }
      progress.step({ ...step, state: 'running' })
      const root = await stages.create(image.name).catch((thrown: unknown) => {
        throw stageError(thrown, 'The stage folder could not be made')
      })
      try {
        await layOut(root, image, tree, workingDir, signal)
        await stages.complete(root)
      } catch (thrown) {
        progress.step({ ...step, state: 'failed', finishedAt: Date.now() })
        await stages.discard(root).catch(() => {})
        signal.throwIfAborted()
        throw stageError(thrown, 'The context could not be staged')
      }
      progress.step({ ...step, state: 'done', finishedAt: Date.now() })
      return { digest: stageId(root), ref: root, config: { entrypoint: [], cmd: [], workingDir, user: '', shell: true } }
    },
    exists: (record) => stages.isComplete(record.ref),
  }
}

async function layOut(root: string, image: ImageSpec, tree: Tree, workingDir: string, signal: AbortSignal): Promise<void> {
  // a file that also stands under `ignore` or `rebuildOn` is in the image all the same
  const syncs = compileLiveRules({ live: image.live.filter((rule) => rule.kind === 'sync') })
  await mkdir(inStage(root, workingDir), { recursive: true })
  const folders = new Map<string, Promise<unknown>>()
  const makeFolder = (folder: string): Promise<unknown> => {
    const made = folders.get(folder) ?? mkdir(folder, { recursive: true })
    folders.set(folder, made)
    return made
  }
  await forEachLimited(
    tree,
    16,
    async ([path, entry]) => {
      const synced = syncs.classify(path).to
      const wanted = synced.length > 0 ? synced : [join(workingDir, path)]
      // where several files lead, one of them stands, and one that no sync covers gives way
      const targets = wanted.filter((to) => (syncs.sourcesOf(to).find((source) => tree.has(source)) ?? path) === path)
      for (const target of new Set(targets.map((to) => inStage(root, to)))) {
        await makeFolder(dirname(target))
        await place(entry, join(image.context, path), target)
      }
    },
    signal,
  )
}

async function place(entry: Entry, source: string, target: string): Promise<void> {
  if (entry.kind === 'link') return symlink(entry.target, target)
  try {
    await copyFile(source, target, constants.COPYFILE_FICLONE)
    await chmod(target, entry.mode)
  } catch (thrown) {
    const { code, syscall } = thrown as NodeJS.ErrnoException
    if (code === 'ENOENT' && syscall === 'copyfile') return
    if (code === 'EACCES') throw new DevloopError('build/context', `${source} cannot be read.`, { cause: thrown })
    throw thrown
  }
}

async function workdirOf(image: ImageSpec): Promise<string> {
  const found = 'inline' in image.dockerfile ? { text: image.dockerfile.inline } : await readDockerfile(image.dockerfile.path)
  if (!found) return defaultWorkdir
  const workdir = dockerfileWorkdir({ text: found.text, args: image.args, target: image.target })
  if (workdir !== undefined) return workdir
  throw new DevloopError('build/dockerfile', `The Dockerfile of image ${image.name} has no stage \`${image.target}\`.`, {
    ...('path' in image.dockerfile ? { where: { file: image.dockerfile.path, line: 1 } } : {}),
    help: 'Correct `target` in the Devloopfile, or the name after AS in the Dockerfile.',
  })
}

async function readDockerfile(path: string): Promise<{ text: string } | undefined> {
  try {
    return { text: await readFile(path, 'utf8') }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new DevloopError('build/dockerfile', `${path} cannot be read.`, { why: (thrown as Error).message, cause: thrown })
  }
}

function stageError(thrown: unknown, message: string): unknown {
  if (thrown instanceof DevloopError || !(thrown instanceof Error) || !('code' in thrown)) return thrown
  const full = thrown.code === 'ENOSPC' || thrown.code === 'EDQUOT'
  return new DevloopError('build/failed', `${message}${full ? ': the disk is full' : ''}.`, {
    why: thrown.message,
    help: full
      ? "Free space on the disk that holds devloop's state folder."
      : "Check devloop's state folder and its permissions.",
    cause: thrown,
  })
}
