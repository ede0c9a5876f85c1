// Finds out whether anybody listens on a Unix socket.
import { connect } from 'node:net'

export type ProbeResult =
  /** Somebody listens. `said` is the first that it sent, '' when it sent nothing in time. */
  | { readonly state: 'alive'; readonly said: string }
  /** The file is there, and whoever made it is gone for good. */
  | { readonly state: 'dead' }
  | { readonly state: 'missing' }

/** Connects once. With `listenMs`, waits so long for the other side to say something. */
export function probeSocket(path: string, listenMs = 0): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ path })
    let timer: NodeJS.Timeout | undefined
    const done = (result: ProbeResult): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
    socket.once('connect', () => {
      if (listenMs === 0) return done({ state: 'alive', said: '' })
      timer = setTimeout(() => done({ state: 'alive', said: '' }), listenMs)
      socket.once('data', (data) => done({ state: 'alive', said: data.toString() }))
      socket.once('end', () => done({ state: 'alive', said: '' }))
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOTSOCK') done({ state: 'dead' })
      else if (error.code === 'ENOENT') done({ state: 'missing' })
      // Such as a full queue of a process that is stopped: it still has the socket.
      else done({ state: 'alive', said: '' })
    })
  })
}
