// Room on the disks: for devloop's own records, and for images where the engine is on this machine.
import { stateDir } from '../../adapters/disk/xdg.js'
import { freeSpace, type FreeSpace } from '../../adapters/disk/free-space.js'
import { DevloopError } from '../../errors/devloop-error.js'
import { ok, type Check, type Said } from './finding.js'

const megabyte = 1024 * 1024
/** Below the first, work stops soon; below the second, it may. */
const least = { state: [20 * megabyte, 200 * megabyte], engine: [300 * megabyte, 3000 * megabyte] } as const
const leastFiles = 1000

export interface Disk {
  /** For people, such as `the state folder /home/ann/.local/state/devloop`. */
  readonly what: string
  readonly kind: keyof typeof least
  readonly space: FreeSpace | undefined
}

export const diskCheck: Check = {
  name: 'disk',
  after: ['engine'],
  async run({ engine }) {
    const state = stateDir(process.env)
    const disks: Disk[] = [{ what: `the state folder ${state}`, kind: 'state', space: await freeSpace(state) }]
    // the folder of an engine in a machine of its own is not on this one
    if (engine?.folder !== undefined && !/docker desktop/i.test(engine.system))
      disks.push({ what: `the engine's ${engine.folder}`, kind: 'engine', space: await freeSpace(engine.folder) })
    return judgeDisks(disks)
  },
}

/** @throws DevloopError machine/disk for the first that is as good as full */
export function judgeDisks(disks: readonly Disk[]): Said {
  const text = disks.map(({ what, space }) => `${what}: ${space ? `${inBytes(space.free)} free` : 'not known'}`).join('; ')
  const problem = (limit: 0 | 1): DevloopError | undefined => {
    for (const { what, kind, space } of disks) {
      if (!space) continue
      const { free, files, all } = space
      const full = new DevloopError('machine/disk', `There is little room left for ${what}.`, {
        why:
          files !== undefined && files < leastFiles
            ? `Its file system takes ${files} more files.`
            : `${inBytes(free)} of ${inBytes(all)} are free.`,
        ...(kind === 'engine'
          ? { help: 'Free space: `devloop prune` and `docker system prune` remove what is not needed.' }
          : {}),
      })
      if (free < least[kind][limit] || (files !== undefined && files < leastFiles)) return full
    }
    return undefined
  }
  const full = problem(0)
  if (full) throw full
  const low = problem(1)
  return low ? { status: 'warning', text, error: low.info } : ok(text)
}

const inBytes = (bytes: number): string =>
  bytes < 1000 * megabyte ? `${Math.floor(bytes / megabyte)} MiB` : `${(bytes / megabyte / 1024).toFixed(1)} GiB`
