// `devloop events`: the state and every change of it, as JSON lines.
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'

export const events = (options: { readonly file?: string }): Promise<number> =>
  withDaemon(options.file, ['state'], async (client) => {
    const write = (event: object): void => void process.stdout.write(`${JSON.stringify({ time: Date.now(), ...event })}\n`)
    for (const view of client.views().values()) write({ event: 'upsert', view })
    client.onViews(({ upserts, removes }) => {
      for (const view of upserts) write({ event: 'upsert', view })
      for (const key of removes) write({ event: 'remove', key })
    })
    return new Promise<number>((resolve) => {
      client.onState((state, error) => {
        if (state !== 'closed') return
        write({ event: 'end', reason: error?.why ?? error?.message ?? 'the daemon ended' })
        resolve(exitCodes.ok)
      })
    })
  })
