// Writing to a terminal or a pipe that may take nothing for a while, such as one behind a connection that hangs: that must not hold
// up the daemon, which runs in this process. Node's own writes to a terminal wait until it takes them; those to a pipe do not.
import { closeSync, constants, openSync, writeSync } from 'node:fs'

export interface PatientOutput {
  /** Writes now what is taken, and the rest later. */
  write(text: string): void
  /** How much waits to be taken. Bytes, or for a pipe also characters. */
  readonly waiting: number
  /** Writes the last, and waits for the terminal, but not for long. */
  end(text: string): void
}

/** Pauses between attempts. Milliseconds. */
const [firstPause, longestPause] = [20, 500]
/** How long the end of the process waits for a terminal. Milliseconds. */
const patience = 500

/** @param onFree called when all was taken that had to wait */
export function openPatientOutput(stdout: NodeJS.WriteStream, onFree: () => void = () => {}): PatientOutput {
  const opened = openAgain(stdout)
  if (opened === undefined) return simpleOutput(stdout, onFree)
  const fd = opened
  let rest: Buffer = Buffer.alloc(0)
  /** What came after `rest`. */
  let later: string[] = []
  let laterSize = 0
  const put = (text: string): void => {
    later.push(text)
    laterSize += Buffer.byteLength(text)
  }
  const next = (): Buffer => {
    if (rest.length === 0 && later.length > 0) {
      rest = Buffer.from(later.join(''))
      later = []
      laterSize = 0
    }
    return rest
  }
  let timer: NodeJS.Timeout | undefined
  let pause = firstPause
  /** Writes what is taken. @returns whether that was all */
  const attempt = (): boolean => {
    try {
      while (next().length > 0) rest = rest.subarray(writeSync(fd, rest))
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'EAGAIN') return false
      // it is gone: told in the same way as for any other output
      rest = Buffer.alloc(0)
      later = []
      laterSize = 0
      stdout.emit('error', thrown)
    }
    return true
  }
  const retry = (): void => {
    timer = undefined
    const before = rest.length
    if (attempt()) return onFree()
    pause = rest.length < before ? firstPause : Math.min(pause * 2, longestPause)
    timer = setTimeout(retry, pause).unref()
  }
  return {
    write(text) {
      put(text)
      if (timer || attempt()) return
      pause = firstPause
      timer = setTimeout(retry, pause).unref()
    },
    get waiting() {
      return rest.length + laterSize
    },
    end(text) {
      clearTimeout(timer)
      put(text)
      const until = Date.now() + patience
      // the process may be about to exit: there is no other way to wait
      while (!attempt() && Date.now() < until) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
      closeSync(fd)
    },
  }
}

function simpleOutput(stdout: NodeJS.WriteStream, onFree: () => void): PatientOutput {
  stdout.on('drain', onFree)
  return {
    write: (text) => void stdout.write(text),
    get waiting() {
      return stdout.writableLength
    },
    end(text) {
      stdout.off('drain', onFree)
      if (text !== '') stdout.write(text)
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
