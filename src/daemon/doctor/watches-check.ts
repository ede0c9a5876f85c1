// Whether this user may watch as many folders as the plan has.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { raiseWatches, watchAllowance, type WatchAllowance } from '../../adapters/chokidar/watch-limits.js'
import { countFolders } from '../../adapters/disk/count-folders.js'
import { DevloopError } from '../../errors/devloop-error.js'
import { compileDockerignore, dockerignoreFiles } from '../../model/dockerignore.js'
import { globBase } from '../../model/globs.js'
import { compileLiveRules, isAlwaysIgnored } from '../../model/live-rules.js'
import type { ImageSpec, Plan } from '../../model/plan.js'
import { ok, skipped, type Check, type Said } from './finding.js'

export const watchesCheck: Check = {
  name: 'file watches',
  after: ['Devloopfile'],
  async run({ plan }, signal) {
    if (!plan) return skipped('without a plan nothing is watched')
    const [folders, allowance] = await Promise.all([countWatched(plan, signal), watchAllowance(signal)])
    return allowance ? judgeWatches(folders, allowance) : ok(`${folders} folders to watch, and no limit that is known`)
  },
}

/** @param folders of the plan. @throws DevloopError watch/limit */
export function judgeWatches(folders: number, { name, limit, used }: WatchAllowance): Said {
  const text = `${folders} ${folders === 1 ? 'folder' : 'folders'} to watch; ${name} = ${limit}, of which programs that run use ${used}`
  const error = (message: string, why: string): DevloopError =>
    new DevloopError('watch/limit', message, { why, help: raiseWatches(name, limit) })
  if (folders > limit)
    throw error(`The plan has ${folders} folders to watch, which is more than allowed.`, `${name} is ${limit}.`)
  if (folders + used <= limit) return ok(text)
  const why = `${text}. A devloop of this project that runs now may be one of them.`
  return { status: 'warning', text, error: error('There may be too few watches left beside those of other programs.', why).info }
}

/** About as many as the daemon watches: what the files of Dockerfiles and charts lie in is left out. */
async function countWatched(plan: Plan, signal: AbortSignal): Promise<number> {
  const counted = new Map<string, number>()
  const count = async (root: string, ignored: Parameters<typeof countFolders>[1]): Promise<void> => {
    const found = await countFolders(root, ignored, signal)
    counted.set(root, Math.max(found, counted.get(root) ?? 0))
  }
  for (const image of Object.values(plan.images))
    if (!image.pulled || image.live.length > 0) await count(image.context, await ignoredBy(image))
  for (const resource of Object.values(plan.resources)) {
    if (resource.kind !== 'local') continue
    for (const glob of resource.watch) await count(join(resource.cwd, globBase(glob)), isAlwaysIgnored)
  }
  return [...counted.values()].reduce((sum, one) => sum + one, 0)
}

async function ignoredBy(image: ImageSpec): Promise<Parameters<typeof countFolders>[1]> {
  const rules = compileLiveRules(image)
  let text = ''
  for (const file of dockerignoreFiles(image.context, 'path' in image.dockerfile ? image.dockerfile.path : undefined)) {
    text = await readFile(file, 'utf8').catch(() => '')
    if (text !== '') break
  }
  const ignore = compileDockerignore(text)
  return (path, isDirectory) =>
    isAlwaysIgnored(path, isDirectory) ||
    (ignore(path, isDirectory) && !rules.isBothWays(path, isDirectory)) ||
    rules.ignores(path, isDirectory)
}
