// Files for the user alone, written whole.
import { randomBytes } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { DevloopError } from '../errors/devloop-error.js'

/** Writes a file that only this user may read; what was there before is replaced. @throws DevloopError report/write */
export async function writePrivate(file: string, text: string): Promise<void> {
  const beside = `${file}.${randomBytes(4).toString('hex')}.tmp`
  try {
    await writeFile(beside, text, { mode: 0o600, flag: 'wx' })
    await rename(beside, file)
  } catch (thrown) {
    await rm(beside, { force: true }).catch(() => undefined)
    throw new DevloopError('report/write', `${file} cannot be written.`, { why: (thrown as Error).message })
  }
}

/** For names of files: local time, such as `20260102-030405`. */
export function fileStamp(at = new Date()): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('')
  return `${day}-${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join('')}`
}
