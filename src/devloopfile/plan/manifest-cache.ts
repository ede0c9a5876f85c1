// Reads manifest files for a plan, each only once while its text stays the same.
import { readFile } from 'node:fs/promises'
import { parseManifests, type Documents } from '../../model/parse-manifests.js'
import { deepFreeze } from './deep-freeze.js'

/** Parsed files, kept from load to load: one whose text is the same is not parsed again. */
export interface ManifestCache {
  /** @throws the file system's error */
  read(file: string): Promise<Documents>
  /** Forget files that were not asked for since the last call. */
  sweep(): void
}

export function createManifestCache(): ManifestCache {
  const known = new Map<string, { text: string; documents: Documents }>()
  const asked = new Set<string>()
  return {
    async read(file) {
      asked.add(file)
      const text = await readFile(file, 'utf8')
      const cached = known.get(file)
      if (cached?.text === text) return cached.documents
      const documents = deepFreeze(parseManifests(text, file, await import('../yaml.js')))
      known.set(file, { text, documents })
      return documents
    },
    sweep() {
      for (const file of known.keys()) if (!asked.has(file)) known.delete(file)
      asked.clear()
    },
  }
}
