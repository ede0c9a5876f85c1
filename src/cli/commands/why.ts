// `devloop why`: which rule takes a file.
import { resolve } from 'node:path'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'

export const why = (path: string, options: { readonly file?: string; readonly json?: boolean }): Promise<number> =>
  withDaemon(options.file, ['state'], async (client) => {
    const result = await client.request('why', { path: resolve(path) })
    if (options.json) {
      process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
    } else if (result.answers.length === 0) {
      process.stdout.write(`${result.path}: nothing watches it; a save of it does nothing\n`)
    } else {
      for (const { subject, action, rule, at, effects } of result.answers) {
        process.stdout.write(`${subject}: ${action}, by ${rule}${at === undefined ? '' : ` (${at})`}\n`)
        for (const effect of effects) process.stdout.write(`  ${effect}\n`)
      }
    }
    return exitCodes.ok
  })
