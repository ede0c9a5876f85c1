// `devloop trigger`: do the whole for resources again, or let go what waits for it.
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'

export const trigger = (resources: readonly string[], options: { readonly file?: string }): Promise<number> =>
  withDaemon(options.file, ['state'], async (client) => {
    for (const resource of resources) {
      const { resources: triggered } = await client.request('trigger', { resource })
      process.stdout.write(`triggered ${triggered.join(', ')}\n`)
    }
    return exitCodes.ok
  })
