// How VS Code attaches to a debugger that devloop has started an app under. Pure.
import type { DebugView } from 'devloop/client'

export interface AttachConfiguration {
  readonly type: string
  readonly name: string
  readonly request: 'attach'
  readonly [key: string]: unknown
}

/**
 * The project's own configuration that attaches to this port, if launch.json has one, since it knows where the sources are; else the
 * plainest for the language.
 */
export function attachConfiguration(resource: string, debug: DebugView, own: readonly unknown[]): AttachConfiguration {
  const { host, port } = debug
  const mine = own.find((one): one is AttachConfiguration => attachesTo(one, port))
  if (mine) return mine
  const common = { name: `devloop: ${resource}`, request: 'attach' } as const
  switch (debug.language) {
    case 'node':
      return { ...common, type: 'node', address: host, port, skipFiles: ['<node_internals>/**'] }
    case 'python':
      return { ...common, type: 'debugpy', connect: { host, port }, justMyCode: true }
    case 'go':
      return { ...common, type: 'go', mode: 'remote', host, port }
    case 'java':
      return { ...common, type: 'java', hostName: host, port }
  }
}

function attachesTo(one: unknown, port: number): boolean {
  if (typeof one !== 'object' || one === null) return false
  const { request, type, name, port: own, connect } = one as Record<string, unknown>
  if (request !== 'attach' || typeof type !== 'string' || typeof name !== 'string') return false
  return own === port || (typeof connect === 'object' && connect !== null && (connect as { port?: unknown }).port === port)
}
