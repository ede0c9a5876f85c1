// `devloop attach`: the view of `devloop watch` on a daemon that runs elsewhere. It ends with the view or with the daemon, whichever is first.
import { connectDevloop, findDaemon, findDiscoveries } from '../../client/index.js'
import { errorText } from '../../client/status/error-text.js'
import type { ErrorInfo } from '../../errors/devloop-error.js'
import { openPage, openPageOf } from '../browser/open-page.js'
import { meantDaemon } from '../daemons.js'
import { exitCodes } from '../exit.js'
import { onInterrupt } from '../interrupted.js'
import { openPatientOutput } from '../patient-output.js'
import { createPlainView } from '../render/plain-view.js'
import { createScreenView } from '../screen/screen-view.js'
import { hasScreen } from '../screen/terminal-mode.js'
import { version } from '../version.js'

export interface AttachOptions {
  readonly file?: string
  /** Plain lines, also on a terminal. */
  readonly plain?: boolean
  /** May look, and change nothing. */
  readonly readOnly?: boolean
}

/** How often a daemon is looked for that does not answer any more. Milliseconds. */
const lookMs = 500

/** @param name of a project, or a path; undefined = the one of the Devloopfile. @throws DevloopError daemon/not-running */
export async function attach(name: string | undefined, options: AttachOptions): Promise<number> {
  const daemon = await meantDaemon(name, options.file)
  const { devloopfile } = daemon
  let finish: (end: { readonly code: number; readonly error?: ErrorInfo }) => void = () => {}
  const finished = new Promise<Parameters<typeof finish>[0]>((resolve) => (finish = resolve))
  const ignore = onInterrupt(() => finish({ code: exitCodes.interrupted }))
  const client = connectDevloop({
    // found anew, so that a connection that was lost, as by a terminal that was stopped for long, comes back
    endpoint: async () => {
      const found = await findDaemon({ devloopfile })
      return found?.epoch === daemon.epoch ? { socket: found.socket } : undefined
    },
    name: `devloop attach ${version}`,
    topics: ['state', 'logs'],
    ...(options.readOnly ? { access: 'read' as const } : {}),
  })
  let looking: NodeJS.Timeout | undefined
  const look = async (): Promise<void> => {
    if (client.state === 'open' || (await findDaemon({ devloopfile }))?.epoch === daemon.epoch) return
    // one that was killed leaves its discovery file
    const isOver = (await findDiscoveries({ devloopfile })).every((one) => one.epoch !== daemon.epoch)
    finish({ code: isOver ? exitCodes.ok : exitCodes.failure, ...(why ? { error: why } : {}) })
  }
  let why: ErrorInfo | undefined
  client.onState((state, error) => {
    if (state === 'open') {
      clearInterval(looking)
      looking = undefined
      why = undefined
      return
    }
    // what the daemon said itself counts, not what came of it
    why ??= error
    if (state === 'closed') return finish({ code: exitCodes.failure, ...(error ? { error } : {}) })
    looking ??= setInterval(() => void look(), lookMs)
  })
  const view =
    !options.plain && hasScreen(process)
      ? createScreenView(client, process, {
          quit: {
            word: 'detach',
            text: 'end this view; devloop runs on',
            run: () => finish({ code: exitCodes.ok }),
          },
          interrupt: () => finish({ code: exitCodes.interrupted }),
          open: (url) => openPage(url),
          openPage: () => openPageOf(daemon),
        })
      : createPlainView(client, openPatientOutput(process.stdout))
  const { code, error } = await finished
  ignore()
  clearInterval(looking)
  view.close()
  client.close()
  if (error) process.stderr.write(`devloop: ${errorText(error)}\n`)
  return code
}
