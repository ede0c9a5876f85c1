// Discovery files of daemons that were killed, taken away.
import { readdir } from 'node:fs/promises'
import type { Discovery } from '../protocol/messages.js'
import { isLive, readDiscovery, removeDiscoveryAtExit } from './discovery.js'
import { lockInstance } from './instance-lock.js'

/** Removes the files in a runtime folder whose daemon is gone. @returns what stood in them */
export async function sweepDiscoveries(dir: string): Promise<readonly Discovery[]> {
  const files = await readdir(dir).catch(() => [])
  const swept = await Promise.all(
    files
      .filter((file) => file.endsWith('.json') && !file.startsWith('.'))
      .map((file) => sweep(dir, file.slice(0, -'.json'.length))),
  )
  return swept.filter((one) => one !== undefined)
}

async function sweep(dir: string, instance: string): Promise<Discovery | undefined> {
  const found = await readDiscovery(dir, instance)
  if (!found || (await isLive(found))) return undefined
  // who holds the lock may be starting, and about to write a file of its own
  const lock = await lockInstance(dir, instance).catch(() => undefined)
  if (!lock) return undefined
  try {
    const still = await readDiscovery(dir, instance)
    if (still?.epoch !== found.epoch || (await isLive(still))) return undefined
    removeDiscoveryAtExit(dir, instance, found.epoch)
    return found
  } finally {
    await lock.release()
  }
}
