import type { TokenFacts } from '../../../../../src/adapters/kube/scoped/scoped-user.js'

/** Of a token that lasts a week. */
export const facts: TokenFacts = {
  user: 'ann@aurora.org',
  namespace: 'shop-ann',
  account: 'devloop-user-ann',
  issued: '2026-11-23T00:00:00.000Z',
  expires: '2026-11-30T00:00:00Z',
}
