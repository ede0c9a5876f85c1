// `devloop watch`: the daemon in this process, with a view of its status.
import { connectDevloop } from '../../client/index.js'
import { exitCodes } from '../exit.js'
import { findDevloopfile } from '../find-devloopfile.js'
import { createPlainView } from '../render/plain-view.js'
import { createScreenView } from '../render/screen-view.js'
import { version } from '../version.js'

export interface WatchOptions {
  readonly file?: string
  readonly runtime: 'kubernetes' | 'process'
  readonly context?: string
  readonly namespace?: string
  readonly port: number
}

export async function watch(args: readonly string[], options: WatchOptions): Promise<number> {
  const file = findDevloopfile(options.file)
  const { startDaemon } = await import('../../daemon/daemon.js')
  const daemon = await startDaemon({
    file,
    args,
    runtime: options.runtime,
    port: options.port,
    version,
    ...(options.context === undefined ? {} : { context: options.context }),
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
  })
  let interruptedBy: string | undefined
  const onSignal = (signal: string): void => {
    if (interruptedBy !== undefined) process.exit(exitCodes.interrupted)
    interruptedBy = signal
    void daemon.stop(signal === 'SIGINT' ? 'Ctrl-C' : signal)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => onSignal(signal))

  const client = connectDevloop({ endpoint: { socket: daemon.discovery.socket }, name: `devloop watch ${version}`, topics: ['state', 'logs'] })
  const view = process.stdout.isTTY && process.env.TERM !== 'dumb' ? createScreenView(client, process, () => onSignal('SIGINT')) : createPlainView(client, process.stdout)
  const code = await daemon.ended
  view.close()
  client.close()
  return code !== exitCodes.ok ? code : interruptedBy === undefined ? exitCodes.ok : exitCodes.interrupted
}
