// Which loopback port stands for which port of an app.
import { createHash } from 'node:crypto'
import { createServer, connect } from 'node:net'
import { DevloopError } from '../../errors/devloop-error.js'
import type { Addressed, AppSpec } from '../../model/plan.js'

export interface PortTable {
  /**
   * The port of this machine for each port name of an app. Given once, and the same for the life of the table, whether the app
   * runs or not.
   */
  assign(app: Addressed): Promise<Readonly<Record<string, number>>>
  /** The same for its debugger, which is none of its ports. */
  assignDebugger(app: AppSpec): Promise<number>
}

// below the ports that the system gives to outgoing connections, so that none of them is in the way of an app that starts again
const firstPort = 20_000
const portCount = 12_000

/** @param seed the same seed leads to the same ports, as long as they are free: addresses survive a restart of devloop */
export function createPortTable(seed: string): PortTable {
  const assigned = new Map<string, Promise<number>>()
  const taken = new Set<number>()

  const find = async (key: string): Promise<number> => {
    const start = createHash('sha256').update(`${seed} ${key}`).digest().readUInt32BE() % portCount
    for (let step = 0; step < portCount; step++) {
      const port = firstPort + ((start + step) % portCount)
      if (taken.has(port)) continue
      taken.add(port)
      if (await isFree(port)) return port
    }
    throw new DevloopError('app/start', 'No port of this machine is free for an app.')
  }

  const portOf = (key: string): Promise<number> => {
    const port = assigned.get(key) ?? find(key)
    assigned.set(key, port)
    return port
  }

  return {
    // a name of a port has no space in it
    assignDebugger: (app) => portOf(`${app.name} the debugger`),
    async assign(app) {
      const names = Object.keys(app.ports)
      const ports = await Promise.all(names.map((name) => portOf(`${app.name} ${name}`)))
      return Object.fromEntries(names.map((name, index) => [name, ports[index] as number]))
    },
  }
}

/** Whether a program of this machine could listen on a loopback port now. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })

/** Whether something accepts connections on a loopback port now. */
export const accepts = (port: number, signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const end = (result: boolean): void => {
      signal.removeEventListener('abort', abort)
      socket.destroy()
      resolve(result)
    }
    const abort = (): void => end(false)
    signal.addEventListener('abort', abort)
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
