// Container paths to paths on this machine, always below the stage.
import { lstat, mkdir, realpath, rm } from 'node:fs/promises'
import { join, posix, sep } from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'

/** Where an absolute path of the container lies in a stage, by name alone. `..` cannot lead out of it. */
export const inStage = (stage: string, path: string): string => join(stage, posix.normalize(`/${path}`))

export interface StagePaths {
  /**
   * The path to write a container path at. Missing folders are made; a file, or a link to nothing, gives way to them. Links to
   * folders of the same root are followed.
   * @throws DevloopError sync/failed when the path is in no root, or a link leads out of it; sync/disconnected when the stage is gone
   */
  forWriting(path: string): Promise<string>
  /**
   * The path to look at, or to delete, a container path at. Undefined = nothing can be there: a folder is missing, or is a link, and
   * what lies behind a link is not the container's at this path.
   * @throws DevloopError as forWriting, but for links
   */
  forReading(path: string): Promise<string | undefined>
}

/**
 * Resolves for one batch of work: folders are looked at once.
 * @param stage without symbolic links
 * @param roots the container folders or files that rules sync into: nothing else is touched
 */
export function stagePaths(stage: string, roots: readonly string[]): StagePaths {
  const innermostFirst = roots.map(withoutSlash).toSorted((a, b) => b.length - a.length)
  const folders = new Map<string, Promise<string | undefined>>()

  const rootOf = (path: string): string => {
    if (!/^(\/(?!\.{1,2}(\/|$))[^/\0]+)+$/.test(path))
      throw new DevloopError('sync/failed', `${JSON.stringify(path)} is no path of a file.`)
    const root = innermostFirst.find((one) => path === one || isBelow(path, one))
    if (root !== undefined) return root
    throw new DevloopError('sync/failed', `${path} lies outside of every folder that is synced.`)
  }

  /** The real folder for a container folder that is, leads to, or lies in a root. */
  const folder = (path: string, root: string, make: boolean): Promise<string | undefined> => {
    const key = `${make} ${root} ${path}`
    const known = folders.get(key) ?? findFolder(path, root, make)
    folders.set(key, known)
    return known
  }

  const findFolder = async (path: string, root: string, make: boolean): Promise<string | undefined> => {
    if (path === '/') return stageFolder()
    const above = await folder(posix.dirname(path), root, make)
    if (above === undefined) return undefined
    const here = join(above, posix.basename(path))
    const found = await lstat(here).catch(ifMissing)
    if (found?.isDirectory()) return here
    const belowRoot = isBelow(path, root)
    if (found?.isSymbolicLink() && (make || !belowRoot)) {
      const real = await realFolder(here)
      const bound = belowRoot ? await folder(root, root, make) : stage
      if (real !== undefined && bound !== undefined && !isWithin(real, bound))
        throw leadsOut(path, belowRoot ? root : 'the staged files')
      if (real !== undefined) return real
    }
    if (!make) return undefined
    if (found) await rm(here)
    await mkdir(here).catch(ifThere)
    return here
  }

  const stageFolder = async (): Promise<string> => {
    if (await lstat(stage).catch(ifMissing)) return stage
    throw new DevloopError('sync/disconnected', 'The staged files are gone.', {
      help: 'Stage them again with `devloop trigger`.',
    })
  }

  const resolve = async (path: string, make: boolean): Promise<string | undefined> => {
    const parent = await folder(posix.dirname(path), rootOf(path), make)
    return parent === undefined ? undefined : join(parent, posix.basename(path))
  }

  return {
    forWriting: async (path) => (await resolve(path, true)) as string,
    forReading: (path) => resolve(path, false),
  }
}

const withoutSlash = (path: string): string => (path.length > 1 ? path.replace(/\/+$/, '') : path)

/** Whether a path is a folder, or lies in it. */
const isWithin = (path: string, folder: string): boolean => path === folder || isBelow(path, folder, sep)

const isBelow = (path: string, folder: string, separator = '/'): boolean =>
  path.startsWith(folder.endsWith(separator) ? folder : folder + separator)

/** What a link leads to when that is a folder. */
async function realFolder(link: string): Promise<string | undefined> {
  const real = await realpath(link).catch(() => undefined)
  return real !== undefined && (await lstat(real)).isDirectory() ? real : undefined
}

const ifMissing = (thrown: NodeJS.ErrnoException): undefined => {
  if (thrown.code !== 'ENOENT' && thrown.code !== 'ENOTDIR') throw thrown
}

const ifThere = (thrown: NodeJS.ErrnoException): void => {
  if (thrown.code !== 'EEXIST') throw thrown
}

const leadsOut = (path: string, what: string): DevloopError =>
  new DevloopError('sync/failed', `${path} is a symbolic link that leads out of ${what}, so nothing is written through it.`, {
    help: 'Remove the link, or sync into the folder that it leads to.',
  })
