// Why resources that are synced have no agent in their pods, for whoever opens a stream to them. Kept in the state folder: after a
// start, streams are opened before the first deploy has said it anew.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface AgentNotes {
  /** @param why undefined = it is there. Failing to keep it is no error */
  set(resource: string, why: string | undefined): Promise<void>
  get(resource: string): Promise<string | undefined>
}

/** @param stateDir made when it is needed */
export function createAgentNotes(stateDir: string): AgentNotes {
  const file = join(stateDir, 'agent-notes.json')
  let loading: Promise<Map<string, string>> | undefined
  const load = (): Promise<Map<string, string>> => (loading ??= read(file))
  let last = Promise.resolve()
  return {
    async set(resource, why) {
      const notes = await load()
      if (notes.get(resource) === why) return
      if (why === undefined) notes.delete(resource)
      else notes.set(resource, why)
      last = last.then(() => write(file, notes))
      await last
    },
    get: async (resource) => (await load()).get(resource),
  }
}

async function read(file: string): Promise<Map<string, string>> {
  try {
    const found = Object.entries(JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>)
    return new Map(found.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
  } catch {
    return new Map()
  }
}

async function write(file: string, notes: ReadonlyMap<string, string>): Promise<void> {
  try {
    await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
    await writeFile(`${file}.tmp`, `${JSON.stringify(Object.fromEntries(notes))}\n`, { mode: 0o600 })
    await rename(`${file}.tmp`, file)
  } catch {
    // the reason is then told from the next deploy on
  }
}
