// The daemons of this user: which there are, and which of them a command line means.
import { realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { connectDevloop, findDaemon, findDiscoveries, type DevloopClient } from '../client/index.js'
import { DevloopError } from '../errors/devloop-error.js'
import { didYouMean, listed } from '../errors/did-you-mean.js'
import type { Discovery } from '../protocol/messages.js'
import { findDevloopfile } from './find-devloopfile.js'
import { sessionOf } from '../client/status/views.js'
import { version } from './version.js'

/** How long a daemon gets to say how it is. One that is stopped (SIGSTOP) never does. Milliseconds. */
const patience = 3_000

/** Those that run, the oldest first. */
export async function runningDaemons(): Promise<readonly Discovery[]> {
  const found = await findDiscoveries()
  const alive = await Promise.all(found.map(async (one) => ((await isThere(one)) ? [one] : [])))
  return alive.flat().toSorted((a, b) => a.startedAt - b.startedAt)
}

const isThere = async ({ devloopfile, epoch }: Discovery): Promise<boolean> =>
  (await findDaemon({ devloopfile }))?.epoch === epoch

/**
 * The running daemon that is meant.
 * @param name of a project, or the path of a Devloopfile or of its folder; undefined = that of the Devloopfile found from here
 * @throws DevloopError daemon/not-running, devloopfile/not-found, request/refused where a name means several
 */
export async function meantDaemon(name: string | undefined, file: string | undefined): Promise<Discovery> {
  if (name === undefined) {
    const devloopfile = findDevloopfile(file)
    const found = await findDaemon({ devloopfile })
    if (!found) throw new DevloopError('daemon/not-running', `devloop does not run for ${devloopfile}`)
    return found
  }
  const all = await runningDaemons()
  const path = resolved(name)
  const at = all.filter(({ devloopfile }) => [devloopfile, dirname(devloopfile)].includes(path))
  const named = all.filter(({ project }) => project === name)
  const fitting = at.length > 0 ? at : named.length > 0 ? named : await withPlanName(all, name)
  if (fitting.length > 1)
    throw new DevloopError('request/refused', `several projects are called ${name}`, {
      why: listed(fitting.map(({ devloopfile }) => devloopfile)),
      help: 'Name the folder of the one that is meant.',
    })
  if (fitting[0]) return fitting[0]
  const names = all.map(({ project }) => project)
  throw new DevloopError('daemon/not-running', `devloop runs for no project ${JSON.stringify(name)}`, {
    why: names.length === 0 ? 'It does not run at all.' : (didYouMean(name, names) ?? `It runs for ${listed(names)}.`),
    help: '`devloop list` shows for which it runs.',
  })
}

/** The Devloopfile may give the project another name than that of its folder. */
async function withPlanName(all: readonly Discovery[], name: string): Promise<readonly Discovery[]> {
  const told = await Promise.all(
    all.map((one) => askDaemon(one, async (client) => sessionOf(client.views())?.project).catch(() => undefined)),
  )
  return all.filter((_, index) => told[index] === name)
}

function resolved(path: string): string {
  try {
    return realpathSync(resolve(path))
  } catch {
    return resolve(path)
  }
}

/** Asks one daemon. @throws DevloopError daemon/not-running, timeout, protocol/version */
export async function askDaemon<T>({ socket }: Discovery, use: (client: DevloopClient) => Promise<T>): Promise<T> {
  const client = connectDevloop({ endpoint: { socket }, name: `devloop ${version}`, topics: ['state'], reconnect: false })
  try {
    await client.whenOpen({ timeoutMs: patience })
    return await use(client)
  } finally {
    client.close()
  }
}
