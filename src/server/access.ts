// Who may send which request: one table for every transport. A method that is missing here does not compile.
import type { Access, Requests } from '../protocol/messages.js'

/**
 * What a request needs. `read` is what changes nothing, here, in the cluster and in containers: `why` explains rules, and `verify`
 * compares. `exec` tells an environment, which may hold secrets, and leads to commands; `args` and `prune` can also only tell, but what
 * they tell is in the views or of use to nobody who may not go on. `dump` tells more of a project than a glance at it does.
 */
const needed: Readonly<Record<keyof Requests, Access>> = {
  trigger: 'control',
  enable: 'control',
  disable: 'control',
  args: 'control',
  reload: 'control',
  restart: 'control',
  shutdown: 'control',
  exec: 'control',
  prune: 'control',
  dump: 'control',
  verify: 'read',
  why: 'read',
}

/** Whether a client with this access may send this request. */
export const mayCall = (access: Access, method: keyof Requests): boolean => access === 'control' || needed[method] === 'read'

/** The requests that a client with this access may send. */
export const methodsOf = (access: Access): readonly (keyof Requests)[] =>
  (Object.keys(needed) as (keyof Requests)[]).filter((method) => mayCall(access, method))
