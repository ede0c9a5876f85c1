// The little that the client needs of a WebSocket. The browser's own and the `ws` library's both fit.

/** Where a daemon can be reached. */
export type Endpoint =
  /** Path of the Unix socket. */
  | { readonly socket: string }
  /** Loopback address and token, as in the discovery file. */
  | { readonly url: string; readonly token: string }

export interface SocketLike {
  send(text: string): void
  close(code?: number, reason?: string): void
  onopen: (() => void) | null
  onmessage: ((event: { readonly data: unknown }) => void) | null
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null
  /** `message` says why, where the environment tells. */
  onerror: ((event: { readonly message?: string }) => void) | null
}

/** Begins to connect; errors come by `onerror` and `onclose`, or by throwing. */
export type SocketFactory = (endpoint: Endpoint) => SocketLike | Promise<SocketLike>
