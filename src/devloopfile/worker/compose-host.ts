// What reading Compose files needs of this machine. What is read, and what is not there, is noted, so that a change loads again.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ComposeHost } from '../compose/load-project.js'

export function createComposeHost(yaml: ComposeHost['yaml'], noteRead: (file: string) => void): ComposeHost {
  const names = (folder: string): readonly string[] => {
    try {
      return readdirSync(folder)
    } catch {
      return []
    }
  }
  const look = (path: string): 'file' | 'folder' | undefined => {
    try {
      const found = statSync(path)
      if (found.isDirectory()) return 'folder'
      if (found.isFile()) return 'file'
    } catch {
      // it is not there, or may not be looked at
    }
    noteRead(path)
    return undefined
  }
  return {
    yaml,
    env: process.env,
    read(file) {
      noteRead(file)
      try {
        return readFileSync(file, 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    look,
    names,
    size(folder, limit) {
      let bytes = 0
      let files = 0
      const visit = (path: string): void => {
        for (const name of names(path)) {
          if (bytes > limit || files > 1_000) return
          const one = join(path, name)
          try {
            const found = statSync(one)
            if (found.isDirectory()) visit(one)
            else {
              bytes += found.size
              files += 1
            }
          } catch {
            // gone meanwhile
          }
        }
      }
      visit(folder)
      return { bytes, files }
    },
  }
}
