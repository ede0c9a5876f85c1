// `devloop stop`: ends daemons, and waits until they have ended.
import { setTimeout as sleep } from 'node:timers/promises'
import { findDiscoveries } from '../../client/index.js'
import { sessionOf } from '../../client/status/views.js'
import { DevloopError, isDevloopError } from '../../errors/devloop-error.js'
import type { Discovery } from '../../protocol/messages.js'
import { askDaemon, meantDaemon, runningDaemons } from '../daemons.js'
import { printJson } from '../print-json.js'
import { exitCodes, fail } from '../exit.js'

export interface StopOptions {
  readonly file?: string
  /** Every daemon of this user. */
  readonly all?: boolean
  /** Milliseconds. */
  readonly timeout: number
  readonly json?: boolean
}

/** A daemon whose files are gone has ended; its process may take a moment longer, or be waited for by nobody. Milliseconds. */
const lastMoment = 1_000

/** @param name of a project, or a path; undefined = the one of the Devloopfile */
export async function stop(name: string | undefined, { file, all, timeout, json }: StopOptions): Promise<number> {
  if (all && (name !== undefined || file !== undefined))
    throw new DevloopError('usage', '--all ends every daemon, and not a certain one', { help: 'Leave out --all, or the name.' })
  const meant = all ? await runningDaemons() : [await meantDaemon(name, file)]
  const results = await Promise.all(
    meant.map(async (one) => {
      try {
        return { one: await end(one, timeout) }
      } catch (thrown) {
        return { one, thrown }
      }
    }),
  )
  const stopped = results.flatMap(({ one, thrown }) => (thrown === undefined ? [one] : []))
  if (json) {
    const data = stopped.map(({ project, devloopfile, pid }) => ({ project, devloopfile, pid }))
    printJson({ stopped: data })
  } else {
    for (const { project, pid } of stopped) process.stdout.write(`stopped ${project} (process ${pid})\n`)
    if (meant.length === 0) process.stdout.write('devloop runs for no project\n')
  }
  const codes = results.flatMap(({ thrown }) => (thrown === undefined ? [] : [fail(thrown)]))
  return Math.max(exitCodes.ok, ...codes)
}

/** @returns it, with the name that the Devloopfile gives the project @throws DevloopError timeout */
async function end(daemon: Discovery, timeoutMs: number): Promise<Discovery> {
  let { project } = daemon
  const deadline = Date.now() + timeoutMs
  try {
    await askDaemon(daemon, (client) => {
      project = sessionOf(client.views())?.project ?? project
      return client.request('shutdown', {}, { timeoutMs })
    })
  } catch (thrown) {
    // it may have ended before it could answer
    if (!isDevloopError(thrown) || (thrown.code !== 'daemon/not-running' && thrown.code !== 'timeout')) throw thrown
  }
  let goneAt: number | undefined
  while (Date.now() < deadline) {
    if (await isGone(daemon)) {
      goneAt ??= Date.now()
      if (!isProcess(daemon.pid) || Date.now() - goneAt >= lastMoment) return { ...daemon, project }
    }
    await sleep(25)
  }
  throw new DevloopError('timeout', `${project} (process ${daemon.pid}) has not ended after ${timeoutMs / 1000} s`, {
    help: `Wait longer with --timeout, or end it for good: kill -9 ${daemon.pid}`,
  })
}

const isGone = async ({ epoch, devloopfile }: Discovery): Promise<boolean> =>
  !(await findDiscoveries({ devloopfile })).some((found) => found.epoch === epoch)

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
