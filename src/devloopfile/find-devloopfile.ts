// Which Devloopfile a folder belongs to.
import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DevloopError } from '../errors/devloop-error.js'

const names = ['Devloopfile.ts', 'Devloopfile.mts', 'Devloopfile.js', 'Devloopfile.mjs']

/**
 * The Devloopfile of a folder: its own, or that of the nearest folder above.
 * @throws DevloopError devloopfile/not-found
 */
export function findDevloopfile(folder: string): string {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const found = names.map((name) => join(at, name)).find((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
    if (found) return found
    if (dirname(at) === at)
      throw new DevloopError('devloopfile/not-found', `There is no Devloopfile in ${resolve(folder)} or above.`)
  }
}
