// The folder of sockets and discovery files: nobody but this user may look into it.
import { lstat, mkdir } from 'node:fs/promises'
import { DevloopError } from '../errors/devloop-error.js'

/** Makes the folder (0700) or checks that it is safe. Throws daemon/start when it is not. */
export async function secureDir(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new DevloopError('daemon/start', `The folder ${dir} cannot be made.`, { why: (error as Error).message, cause: error })
  }
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
