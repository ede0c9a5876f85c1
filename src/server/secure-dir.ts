// The folder of sockets and discovery files: nobody but this user may look into it.
import { lstat, mkdir } from 'node:fs/promises'
import { DevloopError } from '../errors/devloop-error.js'

/**
 * Makes the folder (0700), in one that is there already, or checks that it is safe. Throws daemon/start when it is not.
 * The folder above is not made: a runtime folder that the system did not provide is none.
 */
export async function secureDir(dir: string): Promise<void> {
  try {
    await mkdir(dir, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return checkDir(dir)
    throw new DevloopError('daemon/start', `The folder ${dir} cannot be made.`, { why: (error as Error).message, cause: error })
  }
}

async function checkDir(dir: string): Promise<void> {
  const stats = await lstat(dir)
  // Under /tmp somebody else could have put the folder, or a link, there first.
  const fault = !stats.isDirectory()
    ? 'It is not a folder.'
    : stats.uid !== process.getuid?.()
      ? 'It belongs to another user.'
      : (stats.mode & 0o077) !== 0
        ? 'Other users have rights on it.'
        : undefined
  if (!fault) return
  throw new DevloopError('daemon/start', `The folder ${dir} is not safe for devloop's socket.`, {
    why: fault,
    help: `Make it yours alone (chmod 700 ${dir}), or set XDG_RUNTIME_DIR to a folder that is.`,
  })
}
