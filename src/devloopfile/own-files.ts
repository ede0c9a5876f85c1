// Where devloop's own files are: beside this module, both when it runs from sources and when it is bundled into dist.
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface OwnFiles {
  /** What `import ... from 'devloop'` means. */
  readonly index: string
  /** The worker's entry: JavaScript, or TypeScript that must be bundled first. */
  readonly worker: string
}

/** @param from URL of a module of devloop */
export function ownFiles(from: string = import.meta.url): OwnFiles {
  const folder = dirname(fileURLToPath(from))
  const find = (...names: string[]): string => {
    const paths = names.map((name) => resolve(folder, name))
    const found = paths.find((path) => existsSync(path))
    if (!found) throw new Error(`devloop is not installed completely: none of ${paths.join(', ')} exists.`)
    return found
  }
  return {
    index: find('index.js', '../index.js', '../index.ts'),
    worker: find('devloopfile-worker.js', '../devloopfile-worker.js', 'worker.ts'),
  }
}
