// Whether a registry answers from this machine, and takes what devloop would push: nothing is left there.
import type { DevloopError } from '../../errors/devloop-error.js'
import { rewrite } from '../../model/image-names.js'
import type { Registry } from '../../ports/image-builder.js'
import { findCredentials, registryHost } from './auth.js'
import type { Environment } from './docker-config.js'
import { registryTrouble } from './registry-errors.js'
import { createRegistryHttp, NoAnswer } from './registry-http.js'
import { checkPush } from './registry-preflight.js'

/**
 * @param image name in the Devloopfile, of one that would be pushed
 * @returns what stands against it; `registry/unreachable` may be true of this machine alone, and not of the engine
 * @throws AbortError
 */
export async function checkRegistry(
  registry: Registry,
  image: string,
  signal: AbortSignal,
  env: Environment = process.env,
): Promise<DevloopError | undefined> {
  const repository = registry.singleName === undefined ? rewrite(image, registry.push) : `${registry.push}/${registry.singleName}`
  const host = registryHost(repository)
  const http = createRegistryHttp(host, env)
  try {
    await http.origin(signal)
  } catch (thrown) {
    if (!(thrown instanceof NoAnswer)) throw thrown
    return registryTrouble('registry/unreachable', {
      host,
      doing: `ask whether ${repository} can be pushed`,
      text: thrown.message,
    })
  } finally {
    http.close()
  }
  const auth = await findCredentials(host, env, signal, repository)
  return checkPush({ repository, auth, env, help: registry.help }, signal)
}
