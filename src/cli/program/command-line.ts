// The ways in which commands are declared, so that what commands have in common is the same everywhere.
import { Option, type Command } from 'commander'
import { choiceOptions } from '../choices.js'
import { exitCodes } from '../exit.js'
import { labelOption, selectors } from '../selection.js'

/** What a group of commands is declared with. */
export interface CommandLine {
  readonly program: Command
  /** All that was given. */
  readonly argv: readonly string[]
  /** The action of a command: what it returns is the exit code. */
  does<A extends unknown[]>(action: (...args: A) => Promise<number>): (...args: A) => Promise<void>
  /** A command about one Devloopfile. */
  command(name: string, description: string): Command
  /** A command that opens a connection of its own to the cluster. */
  onCluster(name: string, description: string): Command
  /** Adds which way is taken of resources that can be made in two. */
  withChoices(made: Command): Command
  /** A command that runs the plan. */
  running(name: string, description: string): Command
  /** A command that does something to the resources it is given, of which there is one at least. */
  onResources(
    name: string,
    description: string,
    action: (
      resources: readonly string[],
      options: { readonly file?: string; readonly json?: boolean; readonly confirmEmpty?: boolean },
    ) => Promise<number>,
  ): Command
}

/** @param program gets the commands */
export function createCommandLine(
  program: Command,
  argv: readonly string[],
): CommandLine & { /** What the command that was run returned. */ code(): number } {
  let code: number = exitCodes.ok
  const does: CommandLine['does'] =
    (action) =>
    async (...args) => {
      code = await action(...args)
    }
  const command = (name: string, description: string): Command =>
    program.command(name).description(description).exitOverride().addOption(fileOption())
  const onCluster = (name: string, description: string): Command =>
    command(name, description)
      .option('--context <name>', 'kubeconfig context to use instead of the current one')
      .option('--namespace <name>', "namespace to use instead of the Devloopfile's")
  const withChoices = (made: Command): Command => {
    for (const option of choiceOptions()) made.addOption(option)
    return made
  }
  const running = (name: string, description: string): Command =>
    withChoices(onCluster(name, description)).addOption(
      new Option('--runtime <runtime>', 'where apps run').choices(['kubernetes', 'process']).default('kubernetes'),
    )
  const onResources: CommandLine['onResources'] = (name, description, action) =>
    command(name, description)
      .addOption(labelOption())
      .option('--json', 'print what was done as JSON')
      .argument('[resource...]', 'by name or `label:NAME`')
      .usage('[options] <resource...>')
      .action(
        does(async (names: string[], options, self: Command) => {
          const resources = selectors(names, options)
          if (resources.length === 0) self.error("error: missing required argument 'resource'")
          return action(resources, options)
        }),
      )
  return { program, argv, does, command, onCluster, withChoices, running, onResources, code: () => code }
}

const fileOption = (): Option =>
  new Option('--file <path>', 'the Devloopfile; default: Devloopfile.ts in this folder or the nearest above')
