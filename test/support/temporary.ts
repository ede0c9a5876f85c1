// Folders for a whole file of tests.
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { put } from './devloop.js'

/** A folder with files in it, by their paths. Whoever makes it removes it. */
export async function temporary(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dl-'))
  for (const [name, text] of Object.entries(files)) await put(join(folder, name), text)
  return folder
}
