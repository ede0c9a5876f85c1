// Container paths to paths on this machine, always below the stage.
import { mkdir, realpath } from 'node:fs/promises'
import { join, posix, sep } from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'

/** Where an absolute path of the container lies in a stage, by name alone. `..` cannot lead out of it. */
export const inStage = (root: string, path: string): string => join(root, posix.normalize(`/${path}`))

export interface StagePaths {
  /**
   * The path to use for a container path, its folder's symbolic links followed. Undefined when the folder does not exist and is
   * not to be made.
   * @throws DevloopError sync/failed when a symbolic link leads out of the stage, or out of the folder that the rule names;
   *   sync/disconnected when the stage is gone
   */
  resolve(path: string, makeFolder: boolean): Promise<string | undefined>
}

/**
 * Resolves for one batch of work: folders are looked at once.
 * @param root the stage, without symbolic links
 * @param roots the container folders or files that rules sync into; a path in none of them may lie anywhere in the stage
 */
export function stagePaths(root: string, roots: readonly string[]): StagePaths {
  const folders = new Map<string, Promise<string | undefined>>()
  const bounds = new Map<string, Promise<string>>()

  const folder = (path: string, make: boolean): Promise<string | undefined> => {
    const key = `${make} ${path}`
    const known = folders.get(key) ?? realFolder(path, make)
    folders.set(key, known)
    return known
  }

  const realFolder = async (path: string, make: boolean): Promise<string | undefined> => {
    const here = inStage(root, path)
    try {
      const real = await realpath(here)
      if (!isWithin(real, root)) throw leadsOut(path, 'the staged files')
      return real
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException
      if (code !== 'ENOENT' && !(code === 'ENOTDIR' && !make)) throw thrown
    }
    if (path === '/')
      throw new DevloopError('sync/disconnected', 'The staged files are gone.', {
        help: 'Stage them again with `devloop trigger`.',
      })
    if (!(await folder(posix.dirname(path), make)) || !make) return undefined
    await mkdir(here).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== 'EEXIST') throw thrown
    })
    // once more, for what was there already (made by somebody else, or a link that leads nowhere)
    const real = await realpath(here).catch(() => undefined)
    if (real === undefined || !isWithin(real, root)) throw leadsOut(path, 'the staged files')
    return real
  }

  /** The real folder (or file) that a rule's container path stands for. */
  const bound = (path: string): Promise<string> => {
    const known = bounds.get(path) ?? realpath(inStage(root, path)).catch(() => inStage(root, path))
    bounds.set(path, known)
    return known
  }

  return {
    async resolve(path, makeFolder) {
      const normal = posix.normalize(path)
      const parent = await folder(posix.dirname(normal), makeFolder)
      if (parent === undefined) return undefined
      const rule = roots
        .filter((one) => isBelow(normal, one))
        .reduce<string | undefined>((a, b) => (a && a.length > b.length ? a : b), undefined)
      if (rule !== undefined && !isWithin(parent, await bound(rule))) throw leadsOut(normal, rule)
      return join(parent, posix.basename(normal))
    },
  }
}

const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
const isBelow = (path: string, folder: string): boolean => path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)

const leadsOut = (path: string, what: string): DevloopError =>
  new DevloopError('sync/failed', `${path} is reached by a symbolic link that leads out of ${what}, so it is not written.`, {
    help: 'Remove the link, or sync into the folder that it leads to.',
  })
