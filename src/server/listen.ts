// Brings an HTTP server to listen on a Unix socket or on loopback TCP, with errors that say what to do.
import { chmod, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo, ListenOptions } from 'node:net'
import { dirname } from 'node:path'
import { DevloopError } from '../errors/devloop-error.js'
import { maxSocketPath } from '../protocol/discovery.js'
import { probeSocket } from './probe-socket.js'
import { secureDir } from './secure-dir.js'

/** Listens on a Unix socket (0600, in a folder of 0700). A file left by a dead daemon is replaced, a living one never. */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > maxSocketPath) {
    throw new DevloopError('daemon/start', `The path of the socket is too long: ${path}`, {
      why: `It has ${Buffer.byteLength(path)} bytes; the system allows ${maxSocketPath}.`,
      help: 'Set XDG_RUNTIME_DIR to a folder with a shorter path.',
    })
  }
  await secureDir(dirname(path))
  const found = await probeSocket(path)
  if (found.state === 'alive') throw new DevloopError('daemon/running', `Another process listens on ${path}.`)
  if (found.state === 'dead') await rm(path, { force: true })
  await listen(server, { path }, `the socket ${path}`)
  await chmod(path, 0o600)
}

/**
 * Listens on 127.0.0.1; port 0 = any that is free. Returns the port.
 * @param preferred tried first where any will do
 */
export async function listenOnLoopback(server: Server, port: number, preferred?: number): Promise<number> {
  if (port === 0 && preferred !== undefined) {
    try {
      return await listenOnLoopback(server, preferred)
    } catch {
      // somebody else has it now
    }
  }
  await listen(server, { host: '127.0.0.1', port, exclusive: true }, `127.0.0.1:${port}`)
  return (server.address() as AddressInfo).port
}

function listen(server: Server, options: ListenOptions, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const taken = error.code === 'EADDRINUSE'
      const message = taken ? `${what} is already in use.` : `devloop cannot listen on ${what}.`
      reject(
        new DevloopError('daemon/start', message, {
          why: error.message,
          ...(taken && { help: 'Choose another port with --port, or stop what uses it.' }),
          cause: error,
        }),
      )
    }
    server.once('error', failed)
    server.listen(options, () => {
      server.off('error', failed)
      resolve()
    })
  })
}
