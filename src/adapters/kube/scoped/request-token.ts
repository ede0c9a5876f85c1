// Asks the cluster for a token of a ServiceAccount.
import type { KubeConnection } from '../connection.js'
import type { TokenFacts } from './scoped-user.js'

export interface IssuedToken {
  /** Secret. */
  readonly token: string
  readonly facts: TokenFacts
}

/**
 * @param lifetimeMs at least ten minutes; the cluster may give less than what is asked for
 * @throws DevloopError cluster/*; AbortError
 */
export async function requestToken(
  connection: KubeConnection,
  { user, namespace, account }: Pick<TokenFacts, 'user' | 'namespace' | 'account'>,
  lifetimeMs: number,
  signal: AbortSignal,
): Promise<IssuedToken> {
  const issued = new Date().toISOString()
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(account)}/token`
  const answer = (await connection.request('POST', path, {
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: Math.ceil(lifetimeMs / 1000) },
    },
    what: `get a token of the ServiceAccount ${account} in ${namespace}`,
    signal,
  })) as { readonly status: { readonly token: string; readonly expirationTimestamp: string } }
  const { token, expirationTimestamp: expires } = answer.status
  return { token, facts: { user, namespace, account, issued, expires } }
}
