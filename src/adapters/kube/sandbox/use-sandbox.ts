// The sandbox of the namespace that a runtime works in: applied at its start, and kept from ending while it is used.
import { isDevloopError } from '../../../errors/devloop-error.js'
import type { RuntimeOptions } from '../../../ports/runtime.js'
import type { KubeConnection } from '../connection.js'
import { secretValues } from '../deploy/secret-values.js'
import { expiresAnnotation } from '../labels.js'
import { applySandbox, renewNamespace } from './apply-sandbox.js'
import { renewalMs } from './expiry.js'
import type { ResolvedNamespace } from './resolve-namespace.js'
import { sandboxObjects, type SandboxRequest } from './sandbox-objects.js'

export interface SandboxUse {
  readonly connection: KubeConnection
  readonly options: RuntimeOptions
  readonly resolved: ResolvedNamespace
  /** Content of the pull secret; undefined = there is no login. @throws DevloopError registry/* */
  readonly pullConfig: (signal: AbortSignal) => Promise<string | undefined>
  /** For what is worth a line in the log. */
  readonly log: (message: string) => void
  /** Aborted when the runtime is closed. */
  readonly life: AbortSignal
}

/**
 * Nothing is done where the Devloopfile says nothing of it. A namespace that devloop did not make for this user is left as it is.
 * @throws DevloopError cluster/* when the cluster does not answer; AbortError
 */
export async function useSandbox(use: SandboxUse, signal: AbortSignal): Promise<void> {
  const { connection, options, resolved, log, life } = use
  const { sandbox: settings, tenant } = options.cluster
  if (!settings || !options.makesNamespace) return
  const { name: namespace, own, isGiven } = resolved
  // such as one that an administrator gave, and whose account this is
  if (isGiven) return
  if (!own) return log(`cluster.sandbox is not applied to the namespace ${namespace}: devloop did not make it for you`)

  const pullConfig = settings.pullSecret ? await withWarning(() => use.pullConfig(signal), log) : undefined
  const request: SandboxRequest = { namespace, owner: own.user, settings, tenant, pullConfig }
  options.onSecrets?.(secretValues(sandboxObjects(request)))
  for (const warning of await applySandbox(connection, request, own.live, signal)) log(warning)

  if (settings.ttl === undefined) return
  let expires = own.live?.metadata.annotations?.[expiresAnnotation]
  const renew = async (): Promise<void> => {
    expires = await renewNamespace(connection, request, expires)
  }
  await renew()
  // what failed for the moment is tried the next time
  const timer = setInterval(() => void renew().catch(() => undefined), renewalMs(settings)).unref()
  life.addEventListener('abort', () => clearInterval(timer), { once: true })
}

async function withWarning<T>(work: () => Promise<T>, log: (message: string) => void): Promise<T | undefined> {
  try {
    return await work()
  } catch (thrown) {
    if (!isDevloopError(thrown)) throw thrown
    log(`cluster.sandbox.pullSecret: ${thrown.message}`)
    return undefined
  }
}
