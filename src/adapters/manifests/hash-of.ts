// What files and folders hold, as one hash.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Of everything below these paths. What is not there counts as empty. @param leftOut of which paths nothing counts */
export async function hashOf(paths: readonly string[], leftOut: (path: string) => boolean = () => false): Promise<string> {
  const hash = createHash('sha256')
  const add = async (path: string): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined)
    if (!entries) {
      hash.update(`${path}\0`).update(await readFile(path).catch(() => ''))
      return
    }
    for (const { name } of entries.sort((a, b) => (a.name < b.name ? -1 : 1)))
      if (!name.startsWith('tmpcharts') && !leftOut(join(path, name))) await add(join(path, name))
  }
  for (const path of paths) await add(path)
  return hash.digest('hex')
}
