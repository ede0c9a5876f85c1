// The discovery file of a running daemon: written whole, readable by its user alone, removed only by its owner.
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { instancePaths } from '../protocol/discovery.js'
import type { Discovery } from '../protocol/messages.js'
import { probeSocket } from './probe-socket.js'
import { secureDir } from './secure-dir.js'

/** Writes the file of an instance in a runtime folder (made if need be). Whoever reads sees the old or the new, whole. */
export async function writeDiscovery(dir: string, instance: string, discovery: Discovery): Promise<void> {
  await secureDir(dir)
  const temporary = join(dir, `.${instance}.${randomBytes(4).toString('hex')}.tmp`)
  try {
    await writeFile(temporary, `${JSON.stringify(discovery, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' })
    await rename(temporary, instancePaths(dir, instance).discovery)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** The file's content; undefined = there is none that can be read. It may be of a daemon that is gone: see isLive. */
export async function readDiscovery(dir: string, instance: string): Promise<Discovery | undefined> {
  try {
    return parseDiscovery(await readFile(instancePaths(dir, instance).discovery, 'utf8'))
  } catch {
    return undefined
  }
}

function parseDiscovery(text: string): Discovery | undefined {
  const value = JSON.parse(text) as Partial<Discovery> | null
  return typeof value?.pid === 'number' && typeof value.socket === 'string' && typeof value.epoch === 'string'
    ? (value as Discovery)
    : undefined
}

/** Removes the file, unless another daemon has written its own there since. */
export async function removeDiscovery(dir: string, instance: string, epoch: string): Promise<void> {
  const found = await readDiscovery(dir, instance)
  if (found?.epoch === epoch) await rm(instancePaths(dir, instance).discovery, { force: true })
}

/** The same for a process that is about to exit, which has no time to close its socket either. */
export function removeDiscoveryAtExit(dir: string, instance: string, epoch: string): void {
  const { discovery, socket } = instancePaths(dir, instance)
  try {
    if (parseDiscovery(readFileSync(discovery, 'utf8'))?.epoch !== epoch) return
    rmSync(discovery, { force: true })
    rmSync(socket, { force: true })
  } catch {
    // there is none, or none that can be read
  }
}

/** Whether the daemon of a discovery file still runs: its process is there, and its socket answers. */
export async function isLive(discovery: Discovery): Promise<boolean> {
  try {
    process.kill(discovery.pid, 0)
  } catch (error) {
    // With EPERM the id was reused by somebody else's process, perhaps: the socket decides.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return (await probeSocket(discovery.socket)).state === 'alive'
}
