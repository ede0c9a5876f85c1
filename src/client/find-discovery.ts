// Finds the discovery file of a project's daemon. Node only.
import { constants } from 'node:fs'
import { open, readdir, realpath, type FileHandle } from 'node:fs/promises'
import { connect } from 'node:net'
import { instancePaths, runtimeDirs } from '../protocol/discovery.js'
import type { Discovery } from '../protocol/messages.js'

export interface FindOptions {
  /** Absolute path of the Devloopfile. */
  readonly devloopfile?: string
  /** Or the instance id, where it is known. */
  readonly instance?: string
  /** Default: where daemons of this user leave their files. */
  readonly dirs?: readonly string[]
}

/** The discovery files that fit, the newest daemon first. A daemon that was killed leaves its file, so try each. */
export async function findDiscoveries(options: FindOptions = {}): Promise<Discovery[]> {
  const dirs = options.dirs ?? runtimeDirs(process.env, process.getuid?.() ?? 0)
  const files =
    options.instance === undefined
      ? (await Promise.all(dirs.map(listDir))).flat()
      : dirs.map((dir) => instancePaths(dir, options.instance!).discovery)
  const found = (await Promise.all(files.map(readOwn))).filter((discovery) => discovery !== undefined)
  const wanted = options.devloopfile === undefined ? undefined : await resolved(options.devloopfile)
  const fitting =
    wanted === undefined
      ? found
      : (await Promise.all(found.map(async (one) => ({ one, path: await resolved(one.devloopfile) }))))
          .filter(({ path }) => path === wanted)
          .map(({ one }) => one)
  return fitting.toSorted((a, b) => b.startedAt - a.startedAt)
}

/** The discovery file of a daemon that answers; undefined = none runs. */
export async function findDaemon(options: FindOptions = {}): Promise<Discovery | undefined> {
  for (const discovery of await findDiscoveries(options)) if (await answers(discovery.socket)) return discovery
  return undefined
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path })
    const done = (result: boolean): void => {
      socket.destroy()
      resolve(result)
    }
    socket.once('connect', () => done(true))
    socket.on('error', () => done(false))
  })
}

async function listDir(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).filter((name) => name.endsWith('.json') && !name.startsWith('.')).map((name) => `${dir}/${name}`)
  } catch {
    return []
  }
}

/** Reads a file that belongs to this user; one that another user planted is passed over. */
async function readOwn(path: string): Promise<Discovery | undefined> {
  let file: FileHandle | undefined
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    const uid = process.getuid?.()
    if (uid !== undefined && (await file.stat()).uid !== uid) return undefined
    const value = JSON.parse(await file.readFile('utf8')) as Partial<Discovery> | null
    return typeof value?.pid === 'number' && typeof value.socket === 'string' && typeof value.devloopfile === 'string'
      ? (value as Discovery)
      : undefined
  } catch {
    return undefined
  } finally {
    await file?.close()
  }
}

async function resolved(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    return path
  }
}
