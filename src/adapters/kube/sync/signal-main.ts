// Sending a signal to a container's main process from the shell loop.
import { DevloopError } from '../../../errors/devloop-error.js'
import type { ReloadSignal } from '../../../model/plan.js'
import type { FrameAnswer } from './frame-channel.js'

/** A process that was just started has not said yet which signals it handles. Milliseconds. */
const patienceMs = 2_000

/** So often in a row a signal must have been seen blocked until that counts. */
const blockedBefore = 2

/** On Linux, amd64 and arm64 alike; not those of this machine. */
export const signalNumbers: Record<ReloadSignal, number> = { SIGHUP: 1, SIGUSR1: 10, SIGUSR2: 12, SIGWINCH: 28 }

/**
 * Finds the main process, M. Under devloop's supervisor that is the supervised process. Else it is the oldest one of this container:
 * 1 where the container has process ids of its own, some other one where the pod shares them.
 */
const findMain =
  `main() { if supervisor; then M=\${C#devloop:}; return; fi; M= b=; ` +
  `{ IFS= read -r own < /proc/self/cgroup; } 2>/dev/null; ` +
  `for f in /proc/1 /proc/[0-9]*; do its=; { IFS= read -r its < "$f/cgroup"; } 2>/dev/null; [ "$its" = "$own" ] || continue; ` +
  `if [ "$f" = /proc/1 ]; then M=1; return; fi; ` +
  `{ IFS= read -r s < "$f/stat"; } 2>/dev/null || continue; set -- \${s##*) }; ` +
  `if [ -z "$b" ] || [ "\${20}" -lt "$b" ]; then b=\${20} M=\${f#/proc/}; fi; done; [ "$M" ]; }; main`

/**
 * Sends the signal to process M if it takes it: prints `PID NAME`, then `sent`, `blocked` or `not taken`. What waits for signals blocks
 * them; but whoever starts a program blocks all for a moment, mostly in state D, so it is looked several times. A process of a shell
 * that has not become its program yet takes none.
 * @param lasts whether it was blocked before: then it is waited for
 */
export function sendCode(name: ReloadSignal, lasts: boolean): string {
  const bit = signalNumbers[name] - 1
  const mask = `*[${digitsWithBit(bit % 4)}]${'[0-9a-f]'.repeat(Math.floor(bit / 4))}`
  return (
    `{ IFS= read -r c < "/proc/$M/comm"; } 2>/dev/null && printf '%s %s\\n' "$M" "$c" && ` +
    `for i in 1 2 3 4 5 6 7 8; do t= s=; while read -r k v; do case $k in State:) s=$v;; ` +
    `SigBlk:) case $s$v in D*) ;; ${mask}) t=blocked;; esac;; SigCgt:) case $v in ${mask}) t=caught;; esac;; esac; ` +
    `done < "/proc/$M/status" || t=gone; [ "$t" = blocked ] || break; done && ` +
    `case $c in devloop*) t=;; esac && case $t in gone) false;; ${lasts ? '?*' : 'caught'}) ` +
    `kill -s ${name.slice(3)} "$M" && echo sent;; blocked) echo blocked;; *) echo 'not taken';; esac`
  )
}

/** Hexadecimal digits that have a bit. */
const digitsWithBit = (bit: number): string =>
  Array.from({ length: 16 }, (_, digit) => ((digit >> bit) & 1 ? digit.toString(16) : '')).join('')

export const notSent = (name: ReloadSignal, container: string, why: string | undefined): DevloopError =>
  new DevloopError('signal/failed', `${name} could not be sent to the main process of ${container}.`, { why })

/** @param who the process, such as `7 (node)` */
export const notTaken = (name: ReloadSignal, container: string, who: string): DevloopError =>
  new DevloopError('signal/failed', `The main process of ${container} does not take ${name}: it was not sent.`, {
    why: `Process ${who} does not handle that signal, so it would do nothing or end the process.`,
  })

/**
 * Makes the function behind SyncSession.signal. `exchange` sends code to the shell loop.
 * @throws DevloopError signal/failed
 */
export const createSignaller =
  (exchange: (code: string) => Promise<FrameAnswer>, container: string) =>
  async (name: ReloadSignal, signal: AbortSignal): Promise<void> => {
    const startedAt = Date.now()
    let blocked = 0
    for (;;) {
      signal.throwIfAborted()
      const { output, status } = await exchange(`${findMain} && ${sendCode(name, blocked >= blockedBefore)}`)
      const said = output.toString('utf8').trim()
      if (status !== 0) throw notSent(name, container, said.split('\n').at(-1))
      if (said.endsWith('\nsent')) return
      blocked = said.endsWith('\nblocked') ? blocked + 1 : 0
      if (Date.now() - startedAt > patienceMs) {
        const [, pid, command] = /^(\d+) (.*)$/m.exec(said) ?? []
        throw notTaken(name, container, `${pid} (${command})`)
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
