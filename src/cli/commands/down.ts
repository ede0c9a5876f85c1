// `devloop down`: through the daemon if one runs, else by itself.
import { connectDevloop, findDaemon } from '../../client/index.js'
import { exitCodes } from '../exit.js'
import { findDevloopfile } from '../find-devloopfile.js'
import { interrupted } from '../interrupted.js'
import { version } from '../version.js'

export interface DownOptions {
  readonly file?: string
  readonly context?: string
  readonly namespace?: string
}

export async function down(options: DownOptions): Promise<number> {
  const devloopfile = findDevloopfile(options.file)
  const discovery = await findDaemon({ devloopfile })
  const stop = interrupted().then(() => exitCodes.interrupted)
  if (!discovery) {
    const { removeDeployed } = await import('../../daemon/down.js')
    const abort = new AbortController()
    void stop.then(() => abort.abort())
    const gone = await removeDeployed({ ...options, file: devloopfile }, abort.signal)
    for (const name of gone) process.stdout.write(`deleted ${name}\n`)
    if (gone.length === 0) process.stdout.write('nothing was deployed\n')
    return abort.signal.aborted ? exitCodes.interrupted : exitCodes.ok
  }
  const client = connectDevloop({ endpoint: { socket: discovery.socket }, name: `devloop ${version}`, topics: ['state', 'logs'], reconnect: false })
  try {
    await client.whenOpen({ timeoutMs: 10_000 })
    client.logs({}, ({ lines }) => {
      for (const line of lines) if (line.source === 'deploy') process.stdout.write(`${line.text}\n`)
    })
    const closed = new Promise<number>((resolve) => client.onState((state) => state === 'closed' && resolve(exitCodes.ok)))
    await client.request('shutdown', { down: true })
    return await Promise.race([closed, stop])
  } finally {
    client.close()
  }
}
