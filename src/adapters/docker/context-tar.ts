// The build context as a tar stream, which the classic builder takes.
import type { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import type { ContextEntry } from './context-files.js'
import { textFile } from './context-files.js'
import type { SyncedFiles } from './file-sync.js'

export interface ContextTar {
  readonly stream: Readable
  /** Name of the Dockerfile in it. */
  readonly dockerfile: string
}

/**
 * Pack entries, reading each file only when the tar gets to it. The stream fails with what reading throws.
 * @param inContext the Dockerfile's path when it is one of the entries; else it is sent beside them, hidden from COPY
 * @param onSent told what was packed so far, after each piece
 */
export function packContext(
  entries: readonly ContextEntry[],
  dockerfile: string,
  inContext: string | undefined,
  signal: AbortSignal,
  onSent: (sent: SyncedFiles) => void = () => undefined,
): ContextTar {
  const name = inContext ?? reservedName(entries)
  const all = inContext === undefined ? [...hideDockerfile(entries, name), textFile(name, dockerfile)] : entries
  const tar = pack()
  let [files, bytes] = [0, 0]
  const fill = async (): Promise<void> => {
    for (const entry of all) {
      signal.throwIfAborted()
      const header = { name: entry.path, mode: entry.mode, uid: 0, gid: 0, mtime: new Date(Number(entry.mtime / 1_000_000n)) }
      if (entry.kind === 'folder') tar.entry({ ...header, type: 'directory' })
      else if (entry.kind === 'link') tar.entry({ ...header, type: 'symlink', linkname: entry.target })
      else {
        const sink = tar.entry({ ...header, type: 'file', size: entry.size })
        // what went wrong with an entry comes by the tar's own error
        sink.on('error', () => undefined)
        if (entry.path !== name) files++
        for await (const chunk of entry.content()) {
          bytes += chunk.length
          onSent({ files, bytes })
          if (!sink.write(chunk)) await drained(sink)
        }
        sink.end(undefined)
      }
    }
    tar.finalize()
  }
  fill().catch((error: unknown) => tar.destroy(error as Error))
  return { stream: tar as unknown as Readable, dockerfile: name }
}

// also when the tar has been given up, so that the loop ends
const drained = (sink: Pick<NodeJS.EventEmitter, 'on' | 'off'>): Promise<void> =>
  new Promise((resolve) => {
    const settle = (): void => {
      sink.off('drain', settle)
      sink.off('close', settle)
      resolve()
    }
    sink.on('drain', settle)
    sink.on('close', settle)
  })

const reservedName = (entries: readonly ContextEntry[]): string => {
  const taken = new Set(entries.map(({ path }) => path))
  let name = '.devloop.Dockerfile'
  while (taken.has(name)) name += '_'
  return name
}

// the engine leaves out of the context what .dockerignore names, and reads the Dockerfile all the same
function hideDockerfile(entries: readonly ContextEntry[], name: string): ContextEntry[] {
  const own = entries.find(({ path }) => path === '.dockerignore')
  const others = entries.filter((entry) => entry !== own)
  if (!own) return [textFile('.dockerignore', `${name}\n.dockerignore\n`), ...others]
  const suffix = Buffer.from(`\n${name}\n`)
  const content = async function* (): AsyncGenerator<Buffer> {
    yield* own.content()
    yield suffix
  }
  return [{ ...own, size: own.size + suffix.length, content }, ...others]
}
