// Requests to one repository of a registry, logged in as the registry asks for.
import type { RegistryAuth } from './auth.js'
import { registryHost } from './auth.js'
import { registryTrouble } from './registry-errors.js'
import { NoAnswer, type RegistryAnswer, type RegistryHttp } from './registry-http.js'
import { authorize, LoginRefused, parseChallenges } from './registry-login.js'

export interface RegistryClient {
  /** Path of the repository on the registry, such as `/v2/shop/api`. */
  readonly path: string
  /**
   * Any status is an answer.
   * @param path such as `/v2/shop/api/tags/list`
   * @throws DevloopError registry/unreachable, registry/auth; AbortError
   */
  request(method: 'GET' | 'HEAD' | 'DELETE', path: string, signal: AbortSignal): Promise<RegistryAnswer>
}

export interface RegistryClientOptions {
  /** Closed by the caller. */
  readonly http: RegistryHttp
  /** With its registry, such as `localhost:5000/shop_api`. */
  readonly repository: string
  readonly auth: RegistryAuth | undefined
  /** What it is for, such as `remove images of shop_api`; for errors. */
  readonly doing: string
}

const manifestTypes = [
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.index.v1+json',
].join(', ')

export function createRegistryClient({ http, repository, auth, doing }: RegistryClientOptions): RegistryClient {
  const host = registryHost(repository)
  const name = repository.slice(repository.indexOf('/') + 1)
  let authorization: string | undefined

  const exchange = async (method: 'GET' | 'HEAD' | 'DELETE', path: string, signal: AbortSignal): Promise<RegistryAnswer> => {
    const origin = await http.origin(signal)
    const headers = { Accept: manifestTypes, ...(authorization ? { Authorization: authorization } : {}) }
    return http.exchange(`${origin}${path}`, { method, headers }, signal)
  }
  return {
    path: `/v2/${name}`,
    async request(method, path, signal) {
      try {
        const first = await exchange(method, path, signal)
        if (first.status !== 401 || authorization !== undefined) return first
        const challenges = parseChallenges(first.headers['www-authenticate'])
        authorization = await authorize(http, challenges, auth, `repository:${name}:pull,delete`, signal)
        return authorization === undefined ? first : await exchange(method, path, signal)
      } catch (error) {
        if (error instanceof NoAnswer) throw registryTrouble('registry/unreachable', { host, doing, text: error.message, auth })
        if (error instanceof LoginRefused) throw registryTrouble('registry/auth', { host, doing, text: error.message, auth })
        throw error
      }
    },
  }
}
