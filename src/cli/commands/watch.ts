// `devloop watch`: the daemon in this process, with a view of its status.
import { connectDevloop, type DevloopClient } from '../../client/index.js'
import type { ErrorInfo } from '../../errors/devloop-error.js'
import { choicesOf, type ChoiceOptions } from '../choices.js'
import { exitCodes } from '../exit.js'
import { findDevloopfile } from '../find-devloopfile.js'
import { onInterrupt } from '../interrupted.js'
import { isGone, onOutputError, onUncaught } from '../output.js'
import { errorText } from '../../client/status/error-text.js'
import { openPatientOutput } from '../patient-output.js'
import { createPlainView } from '../render/plain-view.js'
import { openPage, openPageOf } from '../browser/open-page.js'
import { createScreenView } from '../screen/screen-view.js'
import { hasScreen } from '../screen/terminal-mode.js'
import { sessionOf } from '../../client/status/views.js'
import { version } from '../version.js'

export interface WatchOptions extends ChoiceOptions {
  readonly file?: string
  readonly runtime: 'kubernetes' | 'process'
  readonly context?: string
  readonly namespace?: string
  readonly port: number
  /** Resources to watch, as names or `label:NAME`; empty = all. */
  readonly only: readonly string[]
  /** Plain lines, also on a terminal. */
  readonly plain?: boolean
  /** This is the process in the background: what it has to say goes into a file. */
  readonly background?: boolean
  /** Where failures and recoveries are told, too: `bell`, `desktop`, or command lines. Default: what DEVLOOP_NOTIFY names. */
  readonly notify?: readonly string[]
}

export async function watch(args: readonly string[], options: WatchOptions): Promise<number> {
  const file = findDevloopfile(options.file)
  const { startDaemon } = await import('../../daemon/daemon.js')
  const daemon = await startDaemon({
    file,
    args,
    only: options.only,
    choices: choicesOf(options),
    runtime: options.runtime,
    port: options.port,
    version,
    ...(options.context === undefined ? {} : { context: options.context }),
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
  })
  onUncaught(daemon.defect)
  let code: number = exitCodes.ok
  let leaving = false
  const interrupt = (reason: string): void => {
    code = exitCodes.interrupted
    leave(reason)
  }
  /** The second time, without waiting. */
  const leave = (reason: string): void => {
    if (leaving) process.exit(code)
    leaving = true
    void daemon.stop(reason)
  }
  // to the very end: a second Ctrl-C that comes late must not change the exit code
  onInterrupt((signal) => interrupt(signal === 'SIGINT' ? 'Ctrl-C' : signal))
  onOutputError((problem) => {
    // a full disk is no reason to stop working
    if (isGone(problem) && !leaving) leave('nobody reads its output')
  })

  const client = connectDevloop({
    endpoint: { socket: daemon.discovery.socket },
    name: `devloop watch ${version}`,
    topics: ['state', 'logs'],
  })
  let refused: ErrorInfo | undefined
  let connected = false
  const end = client.onViews(() => {
    const session = sessionOf(client.views())
    if (leaving || !session) return
    const { devloopfile, runtime } = session
    connected ||= runtime.state === 'connected'
    // a wrong name on the command line is not mended by a save
    if (devloopfile.generation === 0 && devloopfile.error?.code === 'request/unknown-resource') {
      refused = devloopfile.error
      leave('there is no such resource')
    }
    // nor is a namespace that somebody else has to give
    if (!connected && runtime.error?.code === 'cluster/no-namespace') {
      refused = runtime.error
      leave('there is no namespace to work in')
    }
  })
  const log = options.background ? await backgroundLog(file) : undefined
  const view =
    !log && !options.plain && hasScreen(process)
      ? createScreenView(client, process, {
          quit: { word: 'quit', text: 'end devloop; what was deployed stays', run: () => leave('quit') },
          interrupt: () => interrupt('Ctrl-C'),
          open: (url) => openPage(url),
          openPage: () => openPageOf(daemon.discovery),
        })
      : createPlainView(client, log ?? openPatientOutput(process.stdout))
  const ways = options.notify ?? (process.env.DEVLOOP_NOTIFY ? [process.env.DEVLOOP_NOTIFY] : [])
  const quiet = ways.length > 0 ? await startNotify(client, ways, daemon.note) : undefined
  const ended = await daemon.ended
  end()
  quiet?.()
  view.close()
  client.close()
  if (refused) {
    process.stderr.write(`devloop: ${errorText(refused)}\n`)
    return exitCodes.failure
  }
  return ended === exitCodes.ok ? code : ended
}

async function startNotify(
  client: DevloopClient,
  ways: readonly string[],
  onProblem: (text: string) => void,
): Promise<() => void> {
  const { notify } = await import('../notify/notify.js')
  return notify(client, { ways, terminal: process.stdout.isTTY ? openPatientOutput(process.stdout) : undefined, onProblem })
}

async function backgroundLog(file: string): Promise<Pick<NodeJS.WritableStream, 'write'>> {
  const { detachedFiles, openDetachedLog } = await import('../../daemon/detached.js')
  const log = openDetachedLog(detachedFiles(file))
  log.write(`devloop: started as process ${process.pid} at ${new Date().toISOString()}\n`)
  return log
}
