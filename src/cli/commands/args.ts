// `devloop args`: what the Devloopfile of the running daemon gets as `args`, and which way its resources are made.
import { choicesOf, type ChoiceOptions } from '../choices.js'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { printJson } from '../print-json.js'

/** @param given undefined = only show them */
export const args = (
  given: readonly string[] | undefined,
  options: { readonly file?: string; readonly json?: boolean } & ChoiceOptions,
): Promise<number> =>
  withDaemon(options.file, ['state'], async (client) => {
    const choices = choicesOf(options)
    const { args: now, choices: taken } = await client.request('args', {
      ...(given ? { args: given } : {}),
      ...(Object.keys(choices).length > 0 ? { choices } : {}),
    })
    if (options.json) {
      printJson({ args: now, choices: taken })
      return exitCodes.ok
    }
    process.stdout.write(now.length === 0 ? 'no arguments\n' : `${now.map(shown).join(' ')}\n`)
    for (const [name, way] of Object.entries(taken)) process.stdout.write(`${name}: ${way}\n`)
    return exitCodes.ok
  })

/** As it could be typed again. */
const shown = (arg: string): string => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`)
