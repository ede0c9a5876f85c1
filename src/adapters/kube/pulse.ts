// Whether the other end of a WebSocket is still there: it is pinged, and one that answers nothing is dead.
import type { WebSocket } from 'ws'

export interface PulseOptions {
  /** How often it is pinged. Milliseconds. */
  readonly everyMs: number
  /** A connection that is silent for so long, answers to pings included, is dead. Asked at each ping. Milliseconds. */
  readonly silentMs: () => number
  /** Whether this process itself reads nothing now, so that silence proves nothing. */
  readonly isHeld: () => boolean
  /**
   * Called once.
   * @param why such as `it has been silent for 10 s`
   * @param heardAt when it was heard last, milliseconds since 1970
   */
  readonly onDead: (why: string, heardAt: number) => void
}

/** Begins at once, and ends with the socket. While it stood still (the machine slept), silence proves nothing either. */
export function startPulse(socket: WebSocket, { everyMs, silentMs, isHeld, onDead }: PulseOptions): void {
  let heardAt = Date.now()
  let lookedAt = heardAt
  const heard = (): void => void (heardAt = Date.now())
  const timer = setInterval(() => {
    const now = Date.now()
    if (now - lookedAt > 2 * everyMs || isHeld()) heardAt = now
    lookedAt = now
    if (now - heardAt > silentMs()) {
      clearInterval(timer)
      onDead(`it has been silent for ${Math.round((now - heardAt) / 1000)} s`, heardAt)
    } else if (socket.readyState === socket.OPEN) socket.ping()
  }, everyMs)
  timer.unref()
  socket.on('message', heard).on('pong', heard)
  socket.once('close', () => clearInterval(timer))
}
