// HTTP over byte streams that are no sockets: to an engine behind ssh, or in a pod.
import { Agent } from 'node:http'
import type { Duplex } from 'node:stream'

/** What Node's HTTP client calls on its sockets, and a plain stream lacks. */
const socketMethods = ['setKeepAlive', 'setNoDelay', 'setTimeout', 'ref', 'unref'] as const

/** How long an idle connection is kept: each is a process, or a WebSocket. */
const idleMs = 60_000

/** An agent whose connections are what `connect` opens. Idle ones are kept for the next request, two at most. */
export function byteStreamAgent(connect: () => Promise<Duplex>): Agent {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 2 })
  const idle = new WeakMap<object, NodeJS.Timeout>()
  const keepSocketAlive = (stream: Duplex): boolean => {
    idle.set(stream, setTimeout(() => stream.destroy(), idleMs).unref())
    return true
  }
  const reuseSocket = (stream: Duplex): void => clearTimeout(idle.get(stream))
  const createConnection = async (_options: unknown, done: (error: Error | null, stream?: Duplex) => void): Promise<void> => {
    let stream: Duplex
    try {
      stream = asSocket(await connect())
    } catch (error) {
      return done(error instanceof Error ? error : new Error(String(error)))
    }
    done(null, stream)
  }
  return Object.assign(agent, {
    // what it returns would be taken for the connection
    createConnection: (...given: Parameters<typeof createConnection>): void => void createConnection(...given),
    keepSocketAlive,
    reuseSocket,
  })
}

function asSocket(stream: Duplex): Duplex {
  for (const name of socketMethods) {
    if (!(name in stream)) Object.defineProperty(stream, name, { value: () => stream })
  }
  return stream
}
