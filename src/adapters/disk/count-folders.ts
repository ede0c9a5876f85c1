// Counting folders, without reading what is in their files.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The folders below a root that are not ignored, itself included; 0 = it is no folder. Such that may not be read count as empty.
 * @param ignored asked for paths relative to the root, with `/`
 */
export async function countFolders(
  root: string,
  ignored: (path: string, isDirectory: boolean) => boolean,
  signal: AbortSignal,
): Promise<number> {
  let count = 0
  const waiting = ['']
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    signal.throwIfAborted()
    const entries = await readdir(join(root, path), { withFileTypes: true }).catch(() => undefined)
    if (!entries && path === '') return 0
    count++
    for (const entry of entries ?? []) {
      if (!entry.isDirectory()) continue
      const below = path === '' ? entry.name : `${path}/${entry.name}`
      if (!ignored(below, true)) waiting.push(below)
    }
  }
  return count
}
