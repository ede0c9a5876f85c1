// The Devloopfile that a command means.
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DevloopError } from '../errors/devloop-error.js'

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
