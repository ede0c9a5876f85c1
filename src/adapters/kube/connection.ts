// The connection to one Kubernetes API server: bound at start to its address and certificate authority, with one user.
import type { IncomingMessage } from 'node:http'
import type { KubeConfig } from '@kubernetes/client-node'
import type { WebSocket } from 'ws'
import { isAbort, type DevloopError } from '../../errors/devloop-error.js'
import type { TenantSettings } from '../../model/sandbox.js'
import type { RuntimeOptions } from '../../ports/runtime.js'
import { createCredentials } from './credentials.js'
import { statusOf, translateKube } from './errors.js'
import { guardCluster } from './guard.js'
import { abortReason, createKubeHttp } from './http.js'
import { chooseContext, tokenOf } from './kubeconfig.js'
import { localProduct } from './local-clusters.js'
import { rereadUser } from './scoped/kubeconfig-file.js'
import type { ScopedUser } from './scoped/scoped-user.js'
import { tokenRefused } from './scoped/token-refused.js'
import { openKubeWebSocket, type WebSocketQuery } from './websocket.js'

/** A raw request's parts. */
export interface KubeRequest {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** A string or Buffer is sent as it is, anything else as JSON. */
  readonly body?: unknown
  /** Default `application/json`. Server-side apply: `application/apply-patch+yaml` (JSON is valid YAML). */
  readonly contentType?: string
  /** Default `application/json`. */
  readonly accept?: string
  readonly signal?: AbortSignal
  /** Milliseconds until the answer must have begun, and again until it is complete; default 30,000. */
  readonly timeoutMs?: number
  /** For messages, what is tried, such as `apply deployment/api in dev-ann`. Default: method and path. */
  readonly what?: string
}

export type KubeMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface KubeConnection {
  /** Bound at start to server address and CA: a copy of the kubeconfig that holds exactly one context, cluster, user. */
  readonly config: KubeConfig
  readonly context: string
  /** Which known local product the cluster is, such as `minikube`. */
  readonly product: string | undefined
  readonly server: string
  /** Namespace of everything that names none. */
  readonly namespace: string
  /** Who named it: the user (option or Devloopfile) or the kubeconfig's context; undefined = nobody. */
  readonly namespaceFrom: 'user' | 'context' | undefined
  /** The same connection with another namespace of everything that names none. */
  withNamespace(namespace: string): KubeConnection
  /** The tenant that namespaces are made for. */
  readonly tenant: TenantSettings | undefined
  /** Whose connection it is. */
  readonly owner: { readonly project: string; readonly instance: string }
  /** The user, where devloop wrote its entry in the kubeconfig: its token can be renewed. */
  readonly scoped: ScopedUser | undefined
  /** A kubeconfig for commands that are run now: this cluster, user and namespace, and nothing else. Holds credentials. */
  kubeconfig(): string
  /**
   * A request to the API server, JSON in and out. `path` like `/apis/apps/v1/namespaces/x/deployments`.
   * @throws DevloopError cluster/*; statusOf() of errors.ts gives the HTTP code and reason behind it. AbortError when aborted.
   */
  request(method: KubeMethod, path: string, options?: KubeRequest): Promise<unknown>
  /** A GET whose answer goes on (watch, log): resolves with its headers. Aborting ends it. @throws as `request` */
  stream(path: string, options?: KubeRequest): Promise<IncomingMessage>
  /**
   * Open a WebSocket to the API server (exec, portforward) that offers these subprotocols. Resolves when it is open; then listen
   * for `error` and `close` at once. The signal covers the opening only. @throws DevloopError cluster/*, AbortError
   */
  openWebSocket(path: string, query: WebSocketQuery, protocols: readonly string[], signal: AbortSignal): Promise<WebSocket>
  /** The token that requests carry now; undefined = the user logs in by other means. Secret. @throws DevloopError cluster/unauthorized */
  token(): Promise<string | undefined>
  /** Anything thrown by the client as a DevloopError: what was tried (`what`, such as `list pods in dev`), on which server. */
  translate(thrown: unknown, what: string): DevloopError
  /** Moving mean of milliseconds until an answer begins; undefined before the first request. */
  latencyMs(): number | undefined
  /**
   * A connection turned out to lead nowhere, without a word, as after the sleep of a machine or in another network. Watches and logs hear
   * nothing any more for the same reason, and would wait: those opened before `at` end now, as if they were cut, and no connection that
   * was kept is used again.
   * @param at when it was heard of last, milliseconds since 1970
   */
  suspect(at: number): void
  /** Close idle connections; what is under way ends by its own signal. */
  close(): void
}

/**
 * Connect as the kubeconfig says at this moment: a later edit of it moves nothing. Asks the server for nothing.
 * @throws DevloopError cluster/none, cluster/context, cluster/not-allowed (nothing is ever sent to such a cluster)
 */
export async function connectKube(options: RuntimeOptions, signal: AbortSignal): Promise<KubeConnection> {
  const chosen = chooseContext(options.context)
  guardCluster(chosen, options.cluster.contexts)
  const { context, server } = chosen
  // Of the library only the kubeconfig and its ways to log in are used: its generated API opens a connection for each request,
  // and is most of its memory.
  const { KubeConfig } = await import('./client-library.js')
  signal.throwIfAborted()
  const config = new KubeConfig()
  config.loadFromString(chosen.kubeconfig)
  const { scoped } = chosen
  const credentials = createCredentials(config, chosen.impersonate, scoped && (() => tokenOf(scoped)))
  const http = createKubeHttp(server, credentials)
  const translate = (thrown: unknown, what: string): DevloopError =>
    (scoped && statusOf(thrown)?.code === 401 ? tokenRefused(rereadUser(scoped) ?? scoped, what, thrown) : undefined) ??
    translateKube(thrown, { what, context, server })
  const guarded = async <T>(what: string, given: AbortSignal | undefined, work: () => Promise<T>): Promise<T> => {
    try {
      given?.throwIfAborted()
      return await work()
    } catch (thrown) {
      if (given?.aborted) throw abortReason(given)
      throw isAbort(thrown) ? thrown : translate(thrown, what)
    }
  }
  const inNamespace = (namespace: string) => ({ namespace, kubeconfig: () => chosen.forCommands(namespace) })
  const said = options.namespace ?? options.cluster.namespace
  const connection: KubeConnection = {
    config,
    context,
    product: localProduct(chosen),
    server,
    namespaceFrom: said !== undefined ? 'user' : chosen.namespace === undefined ? undefined : 'context',
    tenant: options.cluster.tenant,
    scoped,
    ...inNamespace(said ?? chosen.namespace ?? 'default'),
    withNamespace: (namespace) => ({ ...connection, ...inNamespace(namespace) }),
    owner: { project: options.project, instance: options.instance },
    request: (method, path, request = {}) =>
      guarded(request.what ?? `${method} ${path}`, request.signal, async () => {
        const body = await http.exchange(method, path, request)
        return body === '' ? undefined : (JSON.parse(body) as unknown)
      }),
    stream: (path, request = {}) =>
      guarded(request.what ?? `GET ${path}`, request.signal, () => http.open('GET', path, { ...request, long: true })),
    openWebSocket: (path, query, protocols, given) =>
      guarded(`connect to ${path}`, given, () => openKubeWebSocket(server, credentials, path, query, protocols, given)),
    async token() {
      const { Authorization: header } = (await credentials.get()).headers
      return typeof header === 'string' ? /^Bearer (.+)$/.exec(header)?.[1] : undefined
    },
    translate,
    latencyMs: () => http.latencyMs(),
    suspect: (at) => http.suspect(at),
    close: () => credentials.closeIdle(),
  }
  return connection
}
