// What `devloop help COMMAND` says beside usage, arguments and options.

/** The rest of the page of one command. */
export interface HelpPage {
  /** Paragraphs: what it does, in full. */
  readonly text?: readonly string[]
  /** The first is the one that most people want. */
  readonly examples: readonly { readonly run: string; readonly does: string }[]
  /** Exit codes that mean something else here than everywhere. */
  readonly exits?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string>>
  /** Commands and documents. */
  readonly see?: readonly string[]
}

/** Exit codes of all commands. */
export const commonExits: Readonly<Record<string, string>> = {
  0: 'it is done, or is as it was asked for',
  1: 'failure: one error on stderr says what, where, why, and what to do',
  2: 'the command line is not understood',
  70: 'a defect of devloop, with where it is in devloop; please report it',
  130: 'interrupted, by Ctrl-C, SIGTERM or the end of the terminal',
}

/** Variables that several commands look at. */
export const commonEnvironment: Readonly<Record<string, string>> = {
  KUBECONFIG: 'kubeconfig files, with colons; default: ~/.kube/config',
  DOCKER_HOST: 'address of the Docker engine; default: its usual sockets, and those of Podman',
  XDG_RUNTIME_DIR: 'folder below which running daemons have their sockets; default: /run/user/UID, else /tmp/devloop-UID',
  DEVLOOP_RUNTIME_DIR: 'folder for these sockets in place of all others; daemons that are elsewhere are not seen then',
  XDG_STATE_HOME: 'folder below which build records and logs are kept; default: ~/.local/state',
  XDG_CONFIG_HOME: 'folder below which settings for all projects are kept; default: ~/.config',
  DEVLOOP_NOTIFY: 'what `--notify` of `devloop watch` is when it is not given',
  BROWSER: 'programs, with colons, of which the first that is there shows the page',
  NO_COLOR: 'when it is set and not empty, nothing is coloured',
  CI: 'when it is set and not empty, `devloop watch` writes plain lines',
}

const width = 80

/** As text for a terminal. */
export function pageText({ text = [], examples, exits, files, environment, see }: HelpPage): string {
  const parts = [
    text.map((paragraph) => wrap(paragraph, '')).join('\n\n'),
    section(
      'Examples',
      examples.map(({ run, does }) => `  ${run}\n${wrap(does, '      ')}`),
    ),
    ...(
      [
        ['Exit codes', exits],
        ['Files', files],
        ['Environment', environment],
      ] as const
    ).map(([title, entries = {}]) =>
      section(
        title,
        Object.entries(entries).map(([key, what]) => `  ${key}\n${wrap(what, '      ')}`),
      ),
    ),
    see ? `See also: ${see.join(', ')}` : '',
  ]
  return `\n${parts.filter((part) => part !== '').join('\n\n')}`
}

/** The same as Markdown, below the usage. */
export function pageMarkdown({ text = [], examples, exits, files, environment, see }: HelpPage): string {
  const table = (title: string, entries: Readonly<Record<string, string>> | undefined): string[] =>
    entries
      ? [
          `${title}:\n\n${Object.entries(entries)
            .map(([key, what]) => `- \`${key}\`: ${what}`)
            .join('\n')}`,
        ]
      : []
  return [
    ...text,
    `\`\`\`sh\n${examples.map(({ run, does }) => `# ${does}\n${run}`).join('\n\n')}\n\`\`\``,
    ...table('Exit codes that are its own', exits),
    ...table('Files', files),
    ...table('Environment', environment),
    ...(see ? [`See also: ${see.join(', ')}.`] : []),
  ].join('\n\n')
}

const section = (title: string, entries: readonly string[]): string =>
  entries.length === 0 ? '' : `${title}:\n${entries.join('\n')}`

/** Lines no wider than a narrow terminal, each behind an indent. */
export function wrap(text: string, indent: string): string {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || indent.length + last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines.map((line) => indent + line).join('\n')
}
