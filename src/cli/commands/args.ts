// `devloop args`: what the Devloopfile of the running daemon gets as `args`.
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'

/** @param given undefined = only show them */
export const args = (given: readonly string[] | undefined, options: { readonly file?: string }): Promise<number> =>
  withDaemon(options.file, ['state'], async (client) => {
    const { args: now } = await client.request('args', given ? { args: given } : {})
    process.stdout.write(now.length === 0 ? 'no arguments\n' : `${now.map(shown).join(' ')}\n`)
    return exitCodes.ok
  })

/** As it could be typed again. */
const shown = (arg: string): string => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`)
