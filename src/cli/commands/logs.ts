// `devloop logs`: what was kept, and with -f what comes.
import { DevloopError } from '../../errors/devloop-error.js'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { interrupted } from '../interrupted.js'
import { logText } from '../render/log-line.js'
import { plainStyle, terminalStyle } from '../render/rows.js'

export interface LogsOptions {
  readonly file?: string
  readonly follow?: boolean
  readonly tail: number
}

export const logs = (resource: string | undefined, options: LogsOptions): Promise<number> =>
  withDaemon(options.file, ['state', 'logs'], async (client) => {
    if (resource !== undefined && !client.get('resource', resource)) throw new DevloopError('request/unknown-resource', `there is no resource ${JSON.stringify(resource)}`)
    const style = process.stdout.isTTY ? terminalStyle(process.env) : plainStyle
    const stop = interrupted()
    const ended = new Promise<number>((resolve) => {
      client.logs({ tail: options.tail, ...(resource === undefined ? {} : { resources: [resource] }) }, ({ lines, dropped, caughtUp }) => {
        if (dropped > 0) process.stdout.write(`… ${dropped} lines are missing here\n`)
        for (const line of lines) process.stdout.write(`${logText(line, style)}\n`)
        if (caughtUp && !options.follow) resolve(exitCodes.ok)
      })
      client.onState((state, error) => {
        if (state === 'closed') resolve(error === undefined || error.code === 'daemon/not-running' ? exitCodes.ok : exitCodes.failure)
      })
      void stop.then(() => resolve(exitCodes.interrupted))
    })
    return ended
  })
