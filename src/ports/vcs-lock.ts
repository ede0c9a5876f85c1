// Whether a version-control tool is in the middle of changing files.

export interface VcsLock {
  /** Whether a lock (such as .git/index.lock) is held in a repository that holds one of these folders. Cheap. */
  held(folders: readonly string[]): Promise<boolean>
}
