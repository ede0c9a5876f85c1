// A system in which few folders may be watched: a user namespace with a limit of its own.
import { spawnSync } from 'node:child_process'

/** Program and arguments that run the command line that follows them with so many watches. */
export const fewWatches = (limit: number): readonly string[] => [
  'unshare',
  '-Ur',
  'sh',
  '-c',
  `echo ${limit} > /proc/sys/user/max_inotify_watches && exec "$@"`,
  'limited',
]

const [program = '', ...before] = fewWatches(100)

/** Whether this user may make such namespaces. */
export const canLimitWatches = spawnSync(program, [...before, 'true']).status === 0
