// `devloop enable` and `devloop disable`.
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { printJson } from '../print-json.js'

export interface EnableOptions {
  readonly file?: string
  readonly json?: boolean
}

export const enable = (resources: readonly string[], { file, json }: EnableOptions): Promise<number> =>
  withDaemon(file, ['state'], async (client) => {
    const { resources: enabled, needs } = await client.request('enable', { resources })
    if (json) {
      printJson({ enabled, needs })
      return exitCodes.ok
    }
    process.stdout.write(`enabled ${enabled.join(', ')}\n`)
    if (needs.length > 0) process.stdout.write(`enabled ${needs.join(', ')} too: needed by what was asked for\n`)
    return exitCodes.ok
  })

export const disable = (resources: readonly string[], { file, json }: EnableOptions): Promise<number> =>
  withDaemon(file, ['state'], async (client) => {
    const { resources: disabled, neededBy } = await client.request('disable', { resources })
    if (json) {
      printJson({ disabled, neededBy })
      return exitCodes.ok
    }
    process.stdout.write(`disabled ${disabled.join(', ')}\n`)
    if (neededBy.length > 0) process.stdout.write(`still enabled, and in need of it: ${neededBy.join(', ')}\n`)
    return exitCodes.ok
  })
