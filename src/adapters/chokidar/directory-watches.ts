// One operating-system watch per directory, through chokidar. Chokidar reads no directory and stats no file here: in its own
// directory mode it would do so for every file after every event, and keep 200 MB for 50,000 files. What it does keep for us
// is the handling of the platforms' watch errors. The two members it is used by are marked as internal, so the version is exact.
import { FSWatcher } from 'chokidar'

export interface DirectoryWatches {
  /** Watch one directory, not what is below it. At once: what changes after the call is reported. */
  open(directory: string): { readonly close: () => void } | { readonly error: NodeJS.ErrnoException }
  close(): Promise<void>
}

export interface DirectoryListener {
  /**
   * Something happened in, or to, a directory. `rename`: a name came or went; `change`: content or attributes of what has the name.
   * The name is undefined when the system does not tell it, and the directory's own name when it happened to the directory itself.
   */
  onRaw(directory: string, type: 'rename' | 'change', name: string | undefined): void
  /** Watching ended for some directory by an error. */
  onError(error: NodeJS.ErrnoException): void
}

const nothing = (): void => {}

/** @param listener called synchronously from the event loop's poll, once for each event of the system */
export function createDirectoryWatches(listener: DirectoryListener): DirectoryWatches {
  const watcher = new FSWatcher({
    persistent: true,
    atomic: false,
    ignoreInitial: true,
    followSymlinks: false,
    usePolling: false,
  })
  // CHOKIDAR_USEPOLLING would win over the option, and a polled directory does not show what is written in its files
  watcher.options = { ...watcher.options, usePolling: false }
  let opening: { error?: NodeJS.ErrnoException } | undefined
  watcher.on('error', (thrown) => {
    const error = thrown as NodeJS.ErrnoException
    if (opening) opening.error = error
    else listener.onError(error)
  })
  watcher.on('raw', (type, name, details) => {
    const directory = (details as { watchedPath: string }).watchedPath
    // typed as a string, but null where the system names nothing
    listener.onRaw(directory, type === 'change' ? 'change' : 'rename', (name as string | null) ?? undefined)
  })
  return {
    open(directory) {
      const attempt: { error?: NodeJS.ErrnoException } = (opening = {})
      try {
        const close = watcher._nodeFsHandler._watchWithNodeFs(directory, nothing)
        if (close) return { close }
        // chokidar passes over what vanished without a word
        return { error: attempt.error ?? Object.assign(new Error(`${directory} is gone`), { code: 'ENOENT' }) }
      } finally {
        opening = undefined
        // its own record of what is in which directory, which nothing here uses
        watcher._watched.clear()
      }
    },
    close: () => watcher.close(),
  }
}
