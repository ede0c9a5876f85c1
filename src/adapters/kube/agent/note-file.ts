// Small facts in a JSON file of the state folder that only spare work, or tell a reason sooner: failing to keep them is no error.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Undefined where there is none that could be read. */
export async function readNoteFile(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown
  } catch {
    return undefined
  }
}

/** Its folder is made when it is missing. Never rejects. */
export async function writeNoteFile(file: string, content: unknown): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(`${file}.tmp`, `${JSON.stringify(content)}\n`, { mode: 0o600 })
    await rename(`${file}.tmp`, file)
  } catch {
    // it is found out anew next time
  }
}
