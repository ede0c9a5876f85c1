// Where a running daemon leaves its addresses: path rules only, so that daemon and clients agree without a word.
// No imports, so that it runs anywhere.

/** Folders in which daemons of this user leave discovery files, the preferred first. A client looks in all of them. With DEVLOOP_RUNTIME_DIR, that one alone. */
export function runtimeDirs(
  env: { readonly XDG_RUNTIME_DIR?: string | undefined; readonly DEVLOOP_RUNTIME_DIR?: string | undefined },
  uid: number,
): readonly string[] {
  if (env.DEVLOOP_RUNTIME_DIR?.startsWith('/')) return [env.DEVLOOP_RUNTIME_DIR.replace(/\/+$/, '')]
  const given = env.XDG_RUNTIME_DIR
  // The same user may have XDG_RUNTIME_DIR in the terminal and not in the editor: then look where it usually is.
  const bases = [...(given?.startsWith('/') ? [given.replace(/\/+$/, '')] : []), `/run/user/${uid}`]
  return [...new Set([...bases.map((base) => `${base}/devloop`), `/tmp/devloop-${uid}`])]
}

export interface InstancePaths {
  /** The discovery file, JSON of type `Discovery`. */
  readonly discovery: string
  /** The Unix socket that the daemon of this instance listens on. */
  readonly socket: string
}

/** The files of one instance in a runtime folder. */
export const instancePaths = (runtimeDir: string, instance: string): InstancePaths => ({
  discovery: `${runtimeDir}/${instance}.json`,
  socket: `${runtimeDir}/${instance}.sock`,
})

/** The longest path of a Unix socket in bytes, on the strictest system (macOS; Linux has 107). */
export const maxSocketPath = 103

/** The path of the WebSocket on either transport. */
export const streamPath = '/v1/stream'

/** Subprotocol that a client may ask for; one that sends its token as a subprotocol must. */
export const subprotocol = 'devloop.v1'

/** Prefix of the subprotocol that carries the token, for clients that cannot set headers (browsers). */
export const tokenSubprotocol = 'devloop.token.'

/** Log selections of one client at once. */
export const maxLogSelections = 16

/** Characters of the text, and of each pattern, of a log selection. */
export const maxLogText = 1_000

/** Close codes beside the standard ones. */
export const closeCodes = {
  /** The daemon ends; a `goodbye` said why. */
  goodbye: 1001,
  /** A first message that is not a valid hello, or too many messages that were not valid. */
  invalid: 4400,
  /** No hello in time, or nothing read for too long. */
  slow: 4408,
  /** Another major version of the protocol. */
  version: 4426,
} as const
