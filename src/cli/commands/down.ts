// `devloop down`: through the daemon if one runs, else by itself.
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
}

export async function down(options: DownOptions): Promise<number> {
  const devloopfile = findDevloopfile(options.file)
  if (await findDaemon({ devloopfile }))
    return withDaemon(devloopfile, ['state', 'logs'], (client) => throughDaemon(client, options))
  const { removeDeployed } = await import('../../daemon/down.js')
  const abort = new AbortController()
  const end = onInterrupt(() => abort.abort())
  try {
    const gone = await removeDeployed({ ...options, file: devloopfile }, abort.signal)
    for (const name of gone) process.stdout.write(`deleted ${name}\n`)
    if (gone.length === 0) process.stdout.write('nothing was deployed\n')
    return exitCodes.ok
  } catch (thrown) {
    if (abort.signal.aborted) return exitCodes.interrupted
    throw thrown
  } finally {
    end()
  }
}

async function throughDaemon(client: DevloopClient, { context, namespace }: DownOptions): Promise<number> {
  const runtime = sessionOf(client.views())?.runtime
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
      if (source === 'deploy' || level === 'error')
        process.stdout.write(`${harmless([resource, text].filter(Boolean).join(': '))}\n`)
    }
  })
  await client.request('shutdown', { down: true })
  await closed
  return failed ? exitCodes.failure : exitCodes.ok
}
