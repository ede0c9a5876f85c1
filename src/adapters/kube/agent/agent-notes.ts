// Why resources that are synced have no agent in their pods, for whoever opens a stream to them. Kept in the state folder: after a
// start, streams are opened before the first deploy has said it anew.
import { join } from 'node:path'
import { readNoteFile, writeNoteFile } from './note-file.js'

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
      last = last.then(() => writeNoteFile(file, Object.fromEntries(notes)))
      await last
    },
    get: async (resource) => (await load()).get(resource),
  }
}

async function read(file: string): Promise<Map<string, string>> {
  const found = Object.entries((await readNoteFile(file)) ?? {}) as readonly (readonly [string, unknown])[]
  return new Map(found.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
