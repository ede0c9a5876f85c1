// `devloop down`: through the daemon if one runs, else by itself.
import type { AloneOptions } from '../../daemon/down.js'
import { findDaemon, type DevloopClient } from '../../client/index.js'
import { DevloopError } from '../../errors/devloop-error.js'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { findDevloopfile } from '../find-devloopfile.js'
import { onInterrupt } from '../interrupted.js'
import { harmless } from '../render/harmless.js'
import { sessionOf } from '../render/views.js'

export interface DownOptions {
  readonly file?: string
  readonly context?: string
  readonly namespace?: string
  readonly deleteGenerated?: boolean
  readonly deleteNamespace?: boolean
  readonly expired?: boolean
}

/**
 * @param names of the resources that are meant; none = all
 * @param args for the Devloopfile
 */
export async function down(names: readonly string[], args: readonly string[], options: DownOptions): Promise<number> {
  const devloopfile = findDevloopfile(options.file)
  if (names.length > 0 && (options.deleteGenerated || options.deleteNamespace))
    throw new DevloopError('usage', 'generated values and namespaces belong to the whole project, and not to single resources', {
      help: `Leave out ${names.join(', ')}.`,
    })
  if (options.expired) {
    if (names.length > 0 || options.deleteGenerated || options.deleteNamespace)
      throw new DevloopError('usage', '--expired deletes namespaces whose time is over, and nothing of this project', {
        help: 'Give no resources and no other option to delete something.',
      })
    return interruptible((signal) => expired({ ...options, file: devloopfile, args }, signal))
  }
  if (await findDaemon({ devloopfile }))
    return withDaemon(devloopfile, ['state', 'logs'], (client) => throughDaemon(client, names, options))
  const { removeDeployed } = await import('../../daemon/down.js')
  return interruptible(async (signal) => {
    let steps = 0
    const well = await removeDeployed(
      { ...options, file: devloopfile, args, ...(names.length > 0 ? { only: names } : {}) },
      ({ resource, level, text }) => {
        steps++
        print(resource, level === 'error' ? `failed: ${text}` : text)
      },
      signal,
    )
    if (steps === 0) process.stdout.write('nothing was deployed\n')
    return well ? exitCodes.ok : exitCodes.failure
  })
}

async function expired(options: AloneOptions, signal: AbortSignal): Promise<number> {
  const { removeExpiredNamespaces } = await import('../../daemon/down.js')
  const removed = await removeExpiredNamespaces(options, signal)
  print('', removed.length > 0 ? `deleted ${removed.join(', ')}` : 'no namespace of yours has been left unused for its time')
  return exitCodes.ok
}

async function interruptible(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const abort = new AbortController()
  const end = onInterrupt(() => abort.abort())
  try {
    return await work(abort.signal)
  } catch (thrown) {
    if (abort.signal.aborted) return exitCodes.interrupted
    throw thrown
  } finally {
    end()
  }
}

async function throughDaemon(
  client: DevloopClient,
  names: readonly string[],
  { context, namespace, deleteGenerated, deleteNamespace }: DownOptions,
): Promise<number> {
  const runtime = sessionOf(client.views())?.runtime
  if (names.length > 0)
    throw new DevloopError('request/refused', `devloop runs for this project, and would deploy ${names.join(', ')} again`, {
      help: 'Disable what shall not run, or end devloop first.',
    })
  // the daemon deletes what it deployed, so another place than its own must not be asked for in passing
  for (const [option, asked, its] of [
    ['--context', context, runtime?.context],
    ['--namespace', namespace, runtime?.namespace],
  ] as const) {
    if (asked === undefined || asked === its) continue
    throw new DevloopError(
      'request/refused',
      `devloop runs for this project with ${its ?? 'no cluster'}, and not with ${asked}`,
      {
        help: `Leave ${option} out, or end devloop first.`,
      },
    )
  }
  let failed = false
  const closed = new Promise<void>((resolve) => client.onState((state) => state === 'closed' && resolve()))
  client.logs({}, ({ lines }) => {
    for (const { source, level, resource, text } of lines) {
      if (level === 'error') failed = true
      if (source === 'deploy' || level === 'error') print(resource, level === 'error' ? `failed: ${text}` : text)
    }
  })
  await client.request('shutdown', {
    down: true,
    ...(deleteGenerated ? { deleteGenerated } : {}),
    ...(deleteNamespace ? { deleteNamespace } : {}),
  })
  await closed
  return failed ? exitCodes.failure : exitCodes.ok
}

const print = (resource: string, text: string): void =>
  void process.stdout.write(`${harmless(resource === '' ? text : `${resource}: ${text}`)}\n`)
