// The Devloopfile that a command means.
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DevloopError, isDevloopError } from '../errors/devloop-error.js'

const devloopfileName = 'Devloopfile.ts'

/** The one named, or Devloopfile.ts in this folder or the nearest above. Absolute. @throws DevloopError devloopfile/not-found */
export function findDevloopfile(named: string | undefined, from = process.cwd()): string {
  if (named !== undefined) {
    const file = resolve(from, named)
    if (!existsSync(file)) throw new DevloopError('devloopfile/not-found', `there is no file ${file}`)
    return file
  }
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, devloopfileName)
    if (existsSync(file)) return file
    if (dirname(folder) === folder)
      throw new DevloopError('devloopfile/not-found', `there is no ${devloopfileName} in ${from} or above`)
  }
}

/** The same; undefined where none is named and there is none. */
export function devloopfileIfAny(named: string | undefined): string | undefined {
  try {
    return findDevloopfile(named)
  } catch (thrown) {
    if (named === undefined && isDevloopError(thrown) && thrown.code === 'devloopfile/not-found') return undefined
    throw thrown
  }
}
