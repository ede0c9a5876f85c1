// The name of one working copy of one project for one user.
import { createHash } from 'node:crypto'

export interface InstanceOf {
  /** Absolute path of the Devloopfile, symbolic links resolved. */
  readonly devloopfile: string
  readonly user: string
  /** Tells machines apart on which users keep their projects at the same path, and share a cluster. */
  readonly machine?: string
}

/** Ten hexadecimal digits after a letter: a DNS label and a label value. The same for the same input, another for another worktree. */
export function instanceId({ devloopfile, user, machine = '' }: InstanceOf): string {
  return `i${createHash('sha256')
    .update(JSON.stringify([devloopfile, user, machine]))
    .digest('hex')
    .slice(0, 10)}`
}
