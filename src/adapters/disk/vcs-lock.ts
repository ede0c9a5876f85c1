// Git's index lock, for the port VcsLock.
import { access, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { VcsLock } from '../../ports/vcs-lock.js'

export function createVcsLock(): VcsLock {
  /** Folder to the git folder that governs it; undefined = none. */
  const known = new Map<string, string | undefined>()

  const gitFolder = async (folder: string): Promise<string | undefined> => {
    for (let at = folder; ; at = dirname(at)) {
      const git = join(at, '.git')
      const found = await stat(git).catch(() => undefined)
      if (found?.isDirectory()) return git
      if (found?.isFile()) {
        // a worktree or submodule: the file says where its own git folder is
        const text = await readFile(git, 'utf8').catch(() => '')
        const path = /^gitdir: (.+)$/m.exec(text)?.[1]
        return path === undefined ? undefined : resolve(at, path)
      }
      if (dirname(at) === at) return undefined
    }
  }

  return {
    async held(folders) {
      const gits = new Set<string>()
      for (const folder of folders) {
        if (!known.has(folder)) known.set(folder, await gitFolder(folder))
        const git = known.get(folder)
        if (git) gits.add(git)
      }
      for (const git of gits) {
        const locked = await access(join(git, 'index.lock')).then(
          () => true,
          () => false,
        )
        if (locked) return true
      }
      return false
    },
  }
}
