// What every request to the API server carries: the user's credentials, and the agent whose connections they belong to.
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent, type AgentOptions, type RequestOptions } from 'node:https'
import type { KubeConfig } from '@kubernetes/client-node'
import { DevloopError } from '../../errors/devloop-error.js'

export interface Credentials {
  /** Authorization and impersonation. Secret. */
  readonly headers: Readonly<Record<string, string | string[]>>
  /** For requests: keeps connections open, with an upper limit. */
  readonly agent: HttpAgent
  /** For watches, logs and WebSockets, each of which holds a connection of its own for long: no limit. */
  readonly streamAgent: HttpAgent
}

export interface CredentialSource {
  /** The credentials to use now. Plugins are run at most once at a time, and again when what they gave has run out. */
  get(): Promise<Credentials>
  /** The server refused what `get` gave: the next `get` asks the plugin (or reads the file) anew. */
  renew(): void
  /** Close the connections that are kept and not used now. */
  closeIdle(): void
}

/** Sockets that are kept open for requests; more requests than that wait for one of them. */
const maxRequestSockets = 24
/** Free connections are closed after this; well below the 90 s and more after which servers do it. */
const idleMs = 30_000
/** Tokens of plugins are asked for again after this, at the latest; the plugin itself may answer from its own cache. */
const freshMs = 60_000

/**
 * @param impersonate headers beside those that the client library knows
 * @param newestToken gives the token where it may be another than at first
 */
export function createCredentials(
  config: KubeConfig,
  impersonate: Readonly<Record<string, readonly string[]>>,
  newestToken?: () => string,
): CredentialSource {
  const user = config.getCurrentUser()
  // Without a plugin or a file nothing can change, and one look is enough for ever.
  const changing = Boolean(user?.exec ?? user?.authProvider ?? user?.certFile ?? user?.keyFile ?? newestToken)
  let current: { credentials: Credentials; identity: string; until: number } | undefined
  let pending: Promise<Credentials> | undefined

  const ask = async (): Promise<Credentials> => {
    const found: RequestOptions = {}
    try {
      await config.applyToHTTPSOptions(found)
    } catch (thrown) {
      const command = (user?.exec as { command?: string } | undefined)?.command
      throw new DevloopError(
        'cluster/unauthorized',
        `The credentials of kubeconfig user "${user?.name ?? ''}" could not be had.`,
        {
          why: `${command ? `${command}: ` : ''}${thrown instanceof Error ? thrown.message.trim().slice(-1_000) : String(thrown)}`,
          ...(command ? { help: `Run \`${command}\` by hand to see what it lacks, or log in again.` } : {}),
          cause: thrown,
        },
      )
    }
    const headers: Record<string, string | string[]> = {}
    for (const [name, value] of Object.entries(found.headers ?? {})) {
      if (value !== undefined) headers[name] = Array.isArray(value) ? [...value] : String(value)
    }
    if (found.auth) headers.Authorization = `Basic ${Buffer.from(found.auth).toString('base64')}`
    for (const [name, values] of Object.entries(impersonate))
      headers[name] = values.length === 1 ? (values[0] ?? '') : [...values]
    if (newestToken) headers.Authorization = `Bearer ${newestToken()}`
    // Connections belong to the client certificate that they were opened with.
    const identity = [found.cert, found.key].map(String).join('\n')
    const agents = current?.identity === identity ? current.credentials : agentsFor(config, found)
    if (current && agents !== current.credentials) closeAgents(current.credentials)
    const credentials = { headers, agent: agents.agent, streamAgent: agents.streamAgent }
    current = { credentials, identity, until: changing ? Date.now() + freshMs : Infinity }
    return credentials
  }

  return {
    get() {
      if (current && Date.now() < current.until) return Promise.resolve(current.credentials)
      pending ??= ask().finally(() => {
        pending = undefined
      })
      return pending
    },
    renew() {
      if (!changing || !current) return
      current.until = 0
      // The library keeps a plugin's token until it expires by its own word, even when the server refuses it.
      for (const authenticator of (config as unknown as { authenticators: { tokenCache?: Record<string, unknown> }[] })
        .authenticators) {
        if (user && authenticator.tokenCache) delete authenticator.tokenCache[user.name]
      }
    },
    closeIdle() {
      if (current) closeAgents(current.credentials)
    },
  }
}

function agentsFor(config: KubeConfig, found: RequestOptions): Pick<Credentials, 'agent' | 'streamAgent'> {
  const cluster = config.getCurrentCluster()
  if (cluster?.proxyUrl) {
    // The library's agent knows the way through the proxy. One per request would be one handshake per request, so keep it.
    const agent = found.agent as HttpAgent & { keepAlive: boolean }
    agent.keepAlive = true
    return { agent, streamAgent: agent }
  }
  const options: AgentOptions = {
    keepAlive: true,
    // Notices within a minute or so that the other side is gone without a word.
    keepAliveMsecs: 15_000,
    scheduling: 'lifo',
    timeout: idleMs,
    ca: found.ca,
    cert: found.cert,
    key: found.key,
    servername: (found as AgentOptions).servername,
    rejectUnauthorized: found.rejectUnauthorized,
  }
  // Undefined is not the same as absent to TLS.
  for (const key of Object.keys(options) as (keyof AgentOptions)[]) if (options[key] === undefined) delete options[key]
  const create = cluster?.server.startsWith('http:')
    ? (extra: AgentOptions) => new HttpAgent({ ...options, ...extra })
    : (extra: AgentOptions) => new HttpsAgent({ ...options, ...extra })
  return { agent: create({ maxSockets: maxRequestSockets }), streamAgent: create({}) }
}

function closeAgents({ agent, streamAgent }: Credentials): void {
  // Only the free ones: what is under way ends by its own signal.
  for (const one of [agent, streamAgent]) {
    for (const sockets of Object.values(one.freeSockets ?? {})) for (const socket of sockets ?? []) socket.destroy()
  }
}
