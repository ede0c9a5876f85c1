// `devloop trigger`: do the whole for resources again, or let go what waits for it.
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'

export const trigger = (
  resources: readonly string[],
  options: { readonly file?: string; readonly confirmEmpty?: boolean },
): Promise<number> =>
  withDaemon(options.file, ['state'], async (client) => {
    for (const resource of resources) {
      const { resources: triggered } = await client.request('trigger', {
        resource,
        ...(options.confirmEmpty ? { confirmEmpty: true } : {}),
      })
      process.stdout.write(`${options.confirmEmpty ? 'confirmed for' : 'triggered'} ${triggered.join(', ')}\n`)
    }
    return exitCodes.ok
  })
