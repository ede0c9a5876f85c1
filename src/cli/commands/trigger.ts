// `devloop trigger`: do the whole for a resource again.
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'

export const trigger = (resource: string, options: { readonly file?: string }): Promise<number> =>
  withDaemon(options.file, ['state'], async (client) => {
    await client.request('trigger', { resource })
    process.stdout.write(`triggered ${resource}\n`)
    return exitCodes.ok
  })
