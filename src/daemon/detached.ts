// The files of a daemon in the background: what its view says goes into one of bounded size, since nobody reads along.
import { closeSync, mkdirSync, openSync, realpathSync, renameSync, statSync, writeSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { machineId } from '../adapters/disk/machine-id.js'
import { stateDir } from '../adapters/disk/xdg.js'
import { instanceId } from '../model/instance.js'

export interface DetachedFiles {
  /** Plain lines. One older file is kept beside it, with `.1` behind its name. */
  readonly log: string
  /** What the newest such process wrote to stderr: why it ended, if it did. */
  readonly errors: string
}

/** Where they are, in the state folder of this Devloopfile's instance, which is made. */
export function detachedFiles(devloopfile: string): DetachedFiles {
  const of = { devloopfile: realpathSync(devloopfile), user: userInfo().username, machine: machineId() }
  const folder = join(stateDir(process.env), instanceId(of))
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return { log: join(folder, 'watch.log'), errors: join(folder, 'watch.err') }
}

export interface DetachedLog {
  write(text: string | Uint8Array): boolean
}

/** Opens the log to go on with it. @param maxSize bytes of one file */
export function openDetachedLog({ log }: Pick<DetachedFiles, 'log'>, maxSize = 5_000_000): DetachedLog {
  const open = (): number => openSync(log, 'a', 0o600)
  let file = open()
  let size = statSync(log).size
  return {
    write(text) {
      try {
        if (size > maxSize) {
          renameSync(log, `${log}.1`)
          closeSync(file)
          file = open()
          size = 0
        }
        size += writeSync(file, typeof text === 'string' ? Buffer.from(text) : text)
        return true
      } catch {
        // a full disk is no reason to stop working
        return false
      }
    },
  }
}
