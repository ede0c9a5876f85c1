// The connection to one Kubernetes API server: bound at start to its address and certificate authority, with one user.
import type { AppsV1Api, BatchV1Api, CoreV1Api, KubeConfig, KubernetesObjectApi } from '@kubernetes/client-node'
import type { WebSocket } from 'ws'
import type { DevloopError } from '../../errors/devloop-error.js'
import type { RuntimeOptions } from '../../ports/runtime.js'

/** A raw request's parts. */
export interface KubeRequest {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** A string or Buffer is sent as it is, anything else as JSON. */
  readonly body?: unknown
  /** Default `application/json`. Server-side apply: `application/apply-patch+yaml` (JSON is valid YAML). */
  readonly contentType?: string
  readonly signal?: AbortSignal
  /** Milliseconds until the answer is complete, default 30,000. */
  readonly timeoutMs?: number
}

export type KubeMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface KubeConnection {
  /** Bound at start to server address and CA: a copy of the kubeconfig that holds exactly one context, cluster, user. */
  readonly config: KubeConfig
  readonly context: string
  readonly server: string
  /** Namespace of everything that names none. */
  readonly namespace: string
  readonly objects: KubernetesObjectApi
  readonly core: CoreV1Api
  readonly apps: AppsV1Api
  readonly batch: BatchV1Api
  /**
   * A request to the API server, JSON in and out. `path` like `/apis/apps/v1/namespaces/x/deployments`.
   * @throws DevloopError cluster/*; `errors.ts` statusOf() gives the HTTP code and Status behind it. AbortError when aborted.
   */
  request(method: KubeMethod, path: string, options?: KubeRequest): Promise<unknown>
  /**
   * Open a WebSocket to the API server (exec, portforward) that offers these subprotocols. Resolves when it is open.
   * The signal covers the opening only. @throws DevloopError cluster/*
   */
  openWebSocket(
    path: string,
    query: Readonly<Record<string, string | readonly string[]>>,
    protocols: readonly string[],
    signal: AbortSignal,
  ): Promise<WebSocket>
  /** Anything thrown by the client as a DevloopError: what was tried (`what`, such as `list pods in dev`), on which server. */
  translate(thrown: unknown, what: string): DevloopError
  /** Close idle connections. */
  close(): void
}

/** Connect as the kubeconfig says. Asks the server for nothing. @throws DevloopError cluster/none, cluster/context */
export function connectKube(options: RuntimeOptions, signal: AbortSignal): Promise<KubeConnection> {
  signal.throwIfAborted()
  return Promise.reject(new Error(`not written yet: ${options.project}`))
}
