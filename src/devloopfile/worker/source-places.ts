// Places in the bundle, mapped to the user's sources.
import { SourceMap } from 'node:module'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SourcePosition } from '../../errors/devloop-error.js'
import type { Job } from '../worker-messages.js'

export interface SourcePlaces {
  /** The place in the user's sources for one in a script (lines and columns from 1); undefined when it is none. */
  place(url: string, line: number, column: number): SourcePosition | undefined
  /** The first of these call sites that is in a file of the user; the Devloopfile itself when there is none. */
  locate(sites: readonly NodeJS.CallSite[]): SourcePosition
  /** Where an error was thrown: the first line of its stack that is in a file of the user. */
  thrownAt(error: unknown): SourcePosition | undefined
}

export function createSourcePlaces(job: Job): SourcePlaces {
  let map: SourceMap | undefined
  const place = (name: string, line: number, column: number): SourcePosition | undefined => {
    if (name === job.bundle) {
      map ??= new SourceMap(JSON.parse(job.map) as ConstructorParameters<typeof SourceMap>[0])
      const entry = map.findEntry(line - 1, column - 1)
      if (!('originalSource' in entry) || !entry.originalSource || isOwn(entry.originalSource)) return undefined
      return { file: entry.originalSource, line: entry.originalLine + 1, column: entry.originalColumn + 1 }
    }
    const file = name.startsWith('file:') ? fileURLToPath(name) : name
    return isAbsolute(file) && !isOwn(file) && file !== workerFile ? { file, line, column } : undefined
  }
  const workerFile = fileURLToPath(import.meta.url)
  const isOwn = (file: string): boolean => job.own.some((folder) => file.startsWith(folder))

  return {
    place,
    locate(sites) {
      for (const site of sites) {
        const found = place(site.getFileName() ?? '', site.getLineNumber() ?? 1, site.getColumnNumber() ?? 1)
        if (found) return found
      }
      return { file: job.file, line: 1 }
    },
    thrownAt(error) {
      const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack : ''
      const places = stack.split('\n').flatMap((line) => {
        // a frame, or (for errors at link time) the place alone at the head
        const match =
          /^\s+at (?:.*\()?((?:file:|\/|[A-Za-z]:\\).*?):(\d+):(\d+)\)?$/.exec(line) ?? /^(file:.*):(\d+)()$/.exec(line)
        const found = match && place(match[1] ?? '', Number(match[2]), Number(match[3] || 1))
        return found ? [found] : []
      })
      // a frame in the project says more than one in a package that it calls
      return places.find(({ file }) => !file.includes('/node_modules/')) ?? places[0]
    },
  }
}
