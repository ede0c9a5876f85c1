// The commands as Markdown, for docs/cli.md.
import type { Command } from 'commander'
import { createProgram } from '../program/program.js'
import { commonEnvironment, commonExits, pageMarkdown } from './page.js'
import { helpPages } from './pages.js'

/** What stands between the marks of docs/cli.md, by the name of the mark. */
export function reference(): Readonly<Record<string, string>> {
  const { program } = createProgram([])
  const commands = program.commands.filter((one) => !(one as { readonly _hidden?: boolean })._hidden)
  return {
    commands: commands.map(commandText).join('\n\n'),
    exits: table(['code', 'meaning'], commonExits),
    environment: table(['variable', 'meaning'], commonEnvironment, '`'),
  }
}

function commandText(command: Command): string {
  const help = command.createHelp()
  const args = help.visibleArguments(command).map((one) => [one.name(), help.argumentDescription(one)] as const)
  const options = help
    .visibleOptions(command)
    .filter(({ long }) => long !== '--help')
    .map((one) => [one.flags, help.optionDescription(one)] as const)
  const page = helpPages[command.name()]
  return [
    `### devloop ${command.name()}`,
    command.description(),
    `\`\`\`text\n${help.commandUsage(command)}\n\`\`\``,
    ...(args.length + options.length > 0
      ? [[...args, ...options].map(([name, what]) => `- \`${name}\`: ${what}`).join('\n')]
      : []),
    ...(page ? [pageMarkdown(page)] : []),
  ].join('\n\n')
}

const table = (titles: readonly [string, string], entries: Readonly<Record<string, string>>, quote = ''): string =>
  [
    `| ${titles.join(' | ')} |`,
    '| --- | --- |',
    ...Object.entries(entries).map(([key, what]) => `| ${quote}${key}${quote} | ${what} |`),
  ].join('\n')
