// Watching folders of this machine.
import type { DevloopError } from '../errors/devloop-error.js'

/** A folder to watch, whole, less what is ignored. */
export interface WatchRoot {
  /** Absolute path of a folder, or of a single file. It need not exist (yet). */
  readonly path: string
  /**
   * Whether a path below the root (relative, with `/`) is left out. Asked for a folder, `true` means the whole subtree
   * and it is never entered nor watched. Asked before anything below is watched.
   */
  readonly ignored: (path: string, isDirectory: boolean) => boolean
}

/** Something below a root may have changed. A hint: look at the paths, believe nothing else. */
export interface WatchEvent {
  /** Absolute paths that may have been made, changed or removed; folders stand for everything directly in them. */
  readonly paths: readonly string[]
  /** Events were lost or a root was replaced: everything must be looked at again. */
  readonly rescan: boolean
}

export interface FileWatcher {
  /**
   * Watch exactly these roots from now on; what was watched before and is still named stays watched without a gap.
   * Resolves when every change made after it is reported.
   */
  setRoots(roots: readonly WatchRoot[]): Promise<void>
  /** The one listener. Called soon after each event, without any waiting for more. */
  onEvent(listener: (event: WatchEvent) => void): void
  /** Called with a problem that makes watching worse (limit reached: a slow rescan takes over), or null when it is gone. */
  onDegraded(listener: (error: DevloopError | null) => void): void
  close(): Promise<void>
}
