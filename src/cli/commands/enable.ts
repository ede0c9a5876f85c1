// `devloop enable` and `devloop disable`.
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'

export const enable = (resources: readonly string[], options: { readonly file?: string }): Promise<number> =>
  withDaemon(options.file, ['state'], async (client) => {
    const { resources: enabled, needs } = await client.request('enable', { resources })
    process.stdout.write(`enabled ${enabled.join(', ')}\n`)
    if (needs.length > 0) process.stdout.write(`enabled ${needs.join(', ')} too: needed by what was asked for\n`)
    return exitCodes.ok
  })

export const disable = (resources: readonly string[], options: { readonly file?: string }): Promise<number> =>
  withDaemon(options.file, ['state'], async (client) => {
    const { resources: disabled, neededBy } = await client.request('disable', { resources })
    process.stdout.write(`disabled ${disabled.join(', ')}\n`)
    if (neededBy.length > 0) process.stdout.write(`still enabled, and in need of it: ${neededBy.join(', ')}\n`)
    return exitCodes.ok
  })
