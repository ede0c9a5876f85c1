// Writing to a terminal that may take nothing for a while, such as one behind a connection that hangs: that must not hold up the
// daemon, which runs in this process. Node's own writes to a terminal wait until it takes them.
import { closeSync, constants, openSync, writeSync } from 'node:fs'

export interface ScreenOutput {
  /** Writes now what the terminal takes, and the rest later. */
  write(text: string): void
  /** Whether something waits for the terminal. */
  readonly isBusy: boolean
  /** Writes the last, and waits for the terminal, but not for long. */
  end(text: string): void
}

/** Pauses between attempts. Milliseconds. */
const [firstPause, longestPause] = [20, 500]
/** How long the end of the process waits for a terminal. Milliseconds. */
const patience = 500

/** @param onFree called when all was taken that had to wait */
export function openScreenOutput(stdout: NodeJS.WriteStream, onFree: () => void): ScreenOutput {
  const opened = openAgain(stdout)
  if (opened === undefined)
    return { write: (text) => void stdout.write(text), isBusy: false, end: (text) => void stdout.write(text) }
  const fd = opened
  let rest: Buffer = Buffer.alloc(0)
  let timer: NodeJS.Timeout | undefined
  let pause = firstPause
  /** Writes what is taken. @returns whether that was all */
  const attempt = (): boolean => {
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest))
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'EAGAIN') return false
      // it is gone: told in the same way as for any other output
      rest = Buffer.alloc(0)
      stdout.emit('error', thrown)
    }
    return true
  }
  const retry = (): void => {
    timer = undefined
    const before = rest.length
    if (attempt()) return onFree()
    pause = rest.length < before ? firstPause : Math.min(pause * 2, longestPause)
    timer = setTimeout(retry, pause)
  }
  return {
    write(text) {
      rest = Buffer.concat([rest, Buffer.from(text)])
      if (timer || attempt()) return
      pause = firstPause
      timer = setTimeout(retry, pause)
    },
    get isBusy() {
      return rest.length > 0
    },
    end(text) {
      clearTimeout(timer)
      rest = Buffer.concat([rest, Buffer.from(text)])
      const until = Date.now() + patience
      // the process may be about to exit: there is no other way to wait
      while (!attempt() && Date.now() < until) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
      closeSync(fd)
    },
  }
}

/** The terminal opened once more, so that writes to it do not wait; undefined where that is not possible. */
function openAgain(stdout: NodeJS.WriteStream): number | undefined {
  const { fd } = stdout as { readonly fd?: unknown }
  if (!stdout.isTTY || typeof fd !== 'number') return undefined
  const path = process.platform === 'linux' ? `/proc/self/fd/${fd}` : '/dev/tty'
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return undefined
  }
}
