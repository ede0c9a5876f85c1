// All commands there are, one file a group, each with its page.
import { Command } from 'commander'
import { commonExits, pageText } from '../help/page.js'
import { helpPages } from '../help/pages.js'
import { version } from '../version.js'
import { addActing } from './acting.js'
import { createCommandLine } from './command-line.js'
import { addDaemons } from './daemons.js'
import { addObjects } from './objects.js'
import { addPassingOn } from './passing-on.js'
import { addRunning } from './running.js'
import { addSetup } from './setup.js'
import { addShowing } from './showing.js'

/** @param argv all that was given */
export function createProgram(argv: readonly string[]): {
  readonly program: Command
  /** The exit code of the command that was run. */
  code(): number
} {
  const program = new Command('devloop')
    .description('Save a file, and the running pod has it.')
    .version(version, '-V, --version', 'print the version of devloop')
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText('after', start)
  const line = createCommandLine(program, argv)
  for (const [title, add] of groups) {
    program.commandsGroup(`${title}:`)
    add(line)
  }
  // now, so that it stands in the last group
  program.helpCommand('help [command]', 'print what there is to know about a command')
  for (const command of program.commands) {
    const page = helpPages[command.name()]
    if (page) command.addHelpText('after', pageText(page))
  }
  return { program, code: line.code }
}

const short: Readonly<Record<string, string>> = { 0: 'ok', 1: 'failure', 2: 'usage', 70: 'defect of devloop', 130: 'interrupted' }

const start = `
Start with \`devloop init && devloop watch\` in the folder of a project; see docs/devloopfile.md.
\`devloop help COMMAND\` says all about a command, with examples.
Exit codes: ${Object.keys(commonExits)
  .map((code) => `${code} ${short[code]}`)
  .join(', ')}.`

/** In the order in which help lists them. */
const groups = [
  ['Run', addRunning],
  ['Daemons', addDaemons],
  ['See', addShowing],
  ['Act', addActing],
  ['Pass on', addPassingOn],
  ['Deployed objects', addObjects],
  ['Projects and machines', addSetup],
] as const
