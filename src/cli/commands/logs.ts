// `devloop logs`: what was kept, and with -f what comes.
import { DevloopError } from '../../errors/devloop-error.js'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { logText } from '../render/log-line.js'
import { plainStyle, terminalStyle } from '../render/style.js'
import { resourcesOf } from '../render/views.js'

export interface LogsOptions {
  readonly file?: string
  readonly follow?: boolean
  readonly tail: number
}

export const logs = (resource: string | undefined, options: LogsOptions): Promise<number> =>
  withDaemon(options.file, ['state', 'logs'], async (client) => {
    const names = resourcesOf(client.views()).map((one) => one.name)
    if (resource !== undefined && !names.includes(resource)) {
      const why = names.length > 0 ? `there are ${names.join(', ')}` : 'no plan is in force yet'
      throw new DevloopError('request/unknown-resource', `there is no resource ${JSON.stringify(resource)}`, { why })
    }
    const style = process.stdout.isTTY ? terminalStyle(process.env) : plainStyle
    return new Promise<number>((resolve) => {
      client.logs(
        { tail: options.tail, ...(resource === undefined ? {} : { resources: [resource] }) },
        ({ lines, dropped, caughtUp }) => {
          if (dropped > 0) process.stdout.write(`… ${dropped} lines are missing here\n`)
          for (const line of lines) process.stdout.write(`${logText(line, style)}\n`)
          if (caughtUp && !options.follow) resolve(exitCodes.ok)
        },
      )
      client.onState((state) => {
        // with -f the daemon's end is the end; without, something is missing
        if (state === 'closed') resolve(options.follow ? exitCodes.ok : exitCodes.failure)
      })
    })
  })
