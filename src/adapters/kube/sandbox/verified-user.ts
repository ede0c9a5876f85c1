// Who the API server takes the user of a connection for.
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'

export interface VerifiedUser {
  /** As rights are given to it, such as `ann@aurora.org`. */
  readonly name: string
  readonly groups: readonly string[]
}

/** Kubernetes 1.28, and the version before it. */
const reviews = ['v1', 'v1beta1']

/**
 * The user by the server's own word: a kubeconfig's name for a user says nothing. Undefined when the cluster is too old to tell.
 * @throws DevloopError cluster/*; AbortError
 */
export async function verifiedUser(connection: KubeConnection, signal: AbortSignal): Promise<VerifiedUser | undefined> {
  const what = 'ask who this user is'
  for (const version of reviews) {
    const apiVersion = `authentication.k8s.io/${version}`
    const body = { apiVersion, kind: 'SelfSubjectReview' }
    const review = (await answered(
      connection.request('POST', `/apis/${apiVersion}/selfsubjectreviews`, { body, what, signal }),
    )) as { readonly status?: { readonly userInfo?: { readonly username?: string; readonly groups?: readonly string[] } } }
    const { username, groups = [] } = review?.status?.userInfo ?? {}
    if (username) return { name: username, groups }
  }
  // OpenShift, also of before those reviews
  const user = (await answered(connection.request('GET', '/apis/user.openshift.io/v1/users/~', { what, signal }))) as {
    readonly metadata?: { readonly name?: string }
    readonly groups?: readonly string[] | null
  }
  const name = user?.metadata?.name
  return name ? { name, groups: user.groups ?? [] } : undefined
}

/** Undefined where the cluster does not serve that, or lets nobody ask. */
async function answered(request: Promise<unknown>): Promise<unknown> {
  try {
    return await request
  } catch (thrown) {
    const code = statusOf(thrown)?.code
    if (code === 403 || code === 404 || code === 405) return undefined
    throw thrown
  }
}
