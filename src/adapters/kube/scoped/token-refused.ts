// What to say when the cluster does not accept the token of a kubeconfig that devloop wrote.
import { DevloopError } from '../../../errors/devloop-error.js'
import { quote } from '../sync/shell-quote.js'
import type { ScopedUser } from './scoped-user.js'

/** @param what that was tried, such as `list pods in dev-ann` */
export function tokenRefused({ file, facts }: ScopedUser, what: string, cause: unknown): DevloopError {
  const { user, namespace, account, expires } = facts
  const over = Date.now() >= Date.parse(expires)
  return new DevloopError('cluster/unauthorized', `The cluster does not accept the token in ${file} any more (${what}).`, {
    why: over
      ? `It ran out at ${expires}. devloop renews it while it runs, and had no chance to.`
      : `It would last until ${expires}: the ServiceAccount ${account} of the namespace ${namespace} was deleted or made anew, or its tokens were revoked.`,
    help: `Ask whoever gave it to you to run: devloop provision --user ${quote(user)} --namespace ${namespace} --kubeconfig FILE`,
    cause,
  })
}
