// A user of a kubeconfig whose token devloop had made for one ServiceAccount: what the kubeconfig says of it, and when it is renewed. Pure.

/** Name of the extension that says so, in the user's entry of the kubeconfig. */
export const tokenExtension = 'devloop.dev/token'

/** Whose token it is, and how long it lasts. What the extension holds. */
export interface TokenFacts {
  /** User name of the person whom it was made for. */
  readonly user: string
  readonly namespace: string
  /** The ServiceAccount. */
  readonly account: string
  /** As RFC 3339 writes times, both. */
  readonly issued: string
  readonly expires: string
}

/** Such a user as it stands in a file. */
export interface ScopedUser {
  /** The kubeconfig. Absolute. */
  readonly file: string
  /** Name of the user's entry. */
  readonly name: string
  readonly token: string
  readonly facts: TokenFacts
}

/** What an entry of `users` says of itself; undefined = devloop did not write it. @param fields its `user` */
export function scopedUser(file: string, name: string, fields: Readonly<Record<string, unknown>>): ScopedUser | undefined {
  const { token, extensions } = fields
  if (typeof token !== 'string' || !Array.isArray(extensions)) return undefined
  const own = (extensions as unknown[]).find((one) => (one as { name?: unknown } | null)?.name === tokenExtension)
  const { user, namespace, account, issued, expires } = ((own as { extension?: unknown } | undefined)?.extension ??
    {}) as Partial<Record<string, unknown>>
  const facts = { user, namespace, account, issued, expires }
  if (!Object.values(facts).every((value) => typeof value === 'string')) return undefined
  return { file, name, token, facts: facts as unknown as TokenFacts }
}

/** While devloop runs, a token is renewed when so much of its life is over: what fails then can be tried again for long. */
const runningShare = 0.8
/** At the start already when so much is over: devloop may not run again for days. */
const startShare = 0.2

/** When to renew a token, in milliseconds since 1970. @param at whether devloop starts, or runs on */
export function renewalDue({ issued, expires }: TokenFacts, at: 'start' | 'running'): number {
  const [from, to] = [Date.parse(issued), Date.parse(expires)]
  return from + (to - from) * (at === 'start' ? startShare : runningShare)
}
