// Being logged in to one repository of a registry, and what its answers then mean.
import type { RegistryAuth } from './auth.js'
import type { RegistryTrouble } from './registry-errors.js'
import type { RegistryAnswer, RegistryHttp } from './registry-http.js'
import { authorize, isFull, LoginRefused, parseChallenges, wordsOf, type Challenge } from './registry-login.js'

export const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

export interface Session {
  readonly origin: string
  readonly headers: { readonly Authorization?: string }
  readonly challenges: readonly Challenge[]
}

/** @param actions such as `pull,push`. @throws LoginRefused, NoAnswer, AbortError */
export async function logIn(
  registry: RegistryHttp,
  path: string,
  actions: string,
  auth: RegistryAuth | undefined,
  signal: AbortSignal,
): Promise<Session> {
  const origin = await registry.origin(signal)
  const first = await registry.exchange(`${origin}/v2/`, { method: 'GET' }, signal)
  if (first.status !== 401) return { origin, headers: {}, challenges: [] }
  const challenges = parseChallenges(first.headers['www-authenticate'])
  const header = await authorize(registry, challenges, auth, `repository:${path}:${actions}`, signal)
  const headers = header === undefined ? {} : { Authorization: header }
  if (header?.startsWith('Basic ')) {
    // the login alone, so that it is told from a right that is missing
    const again = await registry.exchange(`${origin}/v2/`, { method: 'GET', headers }, signal)
    if (again.status === 401) throw new LoginRefused(wordsOf(again))
  }
  return { origin, headers, challenges }
}

/** What an answer to somebody who is logged in says; undefined = nothing that could be relied on. */
export function troubleOf(answer: RegistryAnswer, { headers, challenges }: Session): RegistryTrouble | undefined {
  const { status, text } = answer
  if (isFull(answer)) return 'registry/full'
  const anonymous = headers.Authorization === undefined
  if (status === 401) return anonymous && challenges.length > 0 ? 'registry/auth' : 'registry/denied'
  // something between may say so too, but registries say it in their own form
  if (status === 403) return text.includes('"errors"') ? 'registry/denied' : undefined
  if (status === 404 && /NAME_UNKNOWN|RepositoryNotFound/i.test(text)) return 'registry/name'
  if (status === 400 && /NAME_INVALID/i.test(text)) return 'registry/name'
  if (status === 405) return 'registry/denied'
  return status >= 500 && text.includes('"errors"') ? 'registry/refused' : undefined
}

/** The repository within its registry; Docker Hub files its own images under `library`. */
export function pathOf(repository: string, host: string): string {
  const path = repository.startsWith(`${host}/`) ? repository.slice(host.length + 1) : repository
  return host === 'docker.io' && !path.includes('/') ? `library/${path}` : path
}

export const locationOf = ({ headers }: RegistryAnswer): string => headers['location'] ?? ''
