// The Secrets that nodes log in to a registry with: named ones of the user, and one of devloop's own for each resource.
import type { SourcePosition } from '../../../errors/devloop-error.js'
import type { PullSecretSettings } from '../../../model/plan.js'
import type { EngineBuilder, PullLogin, Registry } from '../../../ports/image-builder.js'
import { ownerLabels, type Owner, type RenderedObject } from './rendered.js'

/** Where the pods with built images get their pull secrets from. */
export interface PullSource {
  /** Secrets that are there. */
  readonly names: readonly string[]
  /** Content of the Secret that devloop makes for a resource; undefined = none is needed. @throws DevloopError registry/* */
  readonly config?: (resource: string, signal: AbortSignal) => Promise<string | undefined>
}

/** Name of the Secret that devloop makes. Resources have no dots, so it is nobody else's. */
export const pullSecretName = (resource: string): string => `${resource}.devloop-pull`

const type = 'kubernetes.io/dockerconfigjson'
/** The one key of such a Secret. */
export const pullSecretKey = '.dockerconfigjson'

/** The content of a pull secret, as kubelets read it. */
const pullConfig = ({ host, username, password }: PullLogin): string =>
  JSON.stringify({ auths: { [host]: { auth: Buffer.from(`${username}:${password}`).toString('base64') } } })

/** The Secret in each of these namespaces. */
export const pullSecrets = (
  owner: Owner,
  namespaces: Iterable<string>,
  config: string,
  at: SourcePosition,
): readonly RenderedObject[] =>
  [...new Set(namespaces)].map((namespace) => ({
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: pullSecretName(owner.resource), namespace, labels: ownerLabels(owner) },
      type,
      data: { [pullSecretKey]: Buffer.from(config).toString('base64') },
    },
    at,
  }))

/**
 * What the Devloopfile wants. A copied login is looked up at each deploy, so that one that expires is renewed; that for the name by
 * which nodes pull counts before that for the name that is pushed to.
 */
export function pullSource(
  settings: PullSecretSettings | undefined,
  registry: Registry | undefined,
  builder: Pick<EngineBuilder, 'pullLogin'>,
): PullSource | undefined {
  if (!settings) return undefined
  if ('names' in settings) return settings
  if (!registry) return { names: [] }
  return {
    names: [],
    async config(_resource, signal) {
      const repository = (place: string): string => `${place}/x`
      const own = await builder.pullLogin(repository(registry.pull), signal)
      if (own) return pullConfig(own)
      const pushed = registry.pull === registry.push ? undefined : await builder.pullLogin(repository(registry.push), signal)
      const host = registry.pull.split('/')[0] ?? registry.pull
      return pushed && pullConfig({ ...pushed, host })
    },
  }
}
