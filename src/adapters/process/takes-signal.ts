// Whether a process of this machine handles a signal.
import { readFile } from 'node:fs/promises'
import { constants } from 'node:os'
import type { ReloadSignal } from '../../model/plan.js'

/** A process that was just started has not said yet which signals it handles. Milliseconds. */
const patienceMs = 2_000

/** Whether it catches the signal, or blocks it to wait for it. Where that cannot be seen (no /proc), it is taken for granted. */
export async function untilTaken(pid: number, name: ReloadSignal): Promise<boolean> {
  if (process.platform !== 'linux') return true
  const bit = 1n << BigInt(constants.signals[name] - 1)
  for (const startedAt = Date.now(); ; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
    const masks = [...status.matchAll(/^Sig(?:Blk|Cgt):\s*([0-9a-f]+)$/gm)].map(([, mask]) => BigInt(`0x${mask}`))
    if (masks.some((mask) => (mask & bit) !== 0n)) return true
    if (status === '' || Date.now() - startedAt > patienceMs) return false
  }
}
