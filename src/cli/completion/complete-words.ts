// What can stand where the cursor is on a command line: from the declared commands and options, and from what runs.
import type { Command, Option } from 'commander'
import { viewKinds } from '../program/option-values.js'

export interface Candidate {
  /** The whole word. */
  readonly value: string
  readonly description?: string
}

export interface Completion {
  readonly candidates: readonly Candidate[]
  /** Whether paths fit too: the shell knows them best. */
  readonly paths?: 'files' | 'folders'
}

/** What a running daemon has names for. Each is asked for only where it is needed. */
export interface LiveNames {
  readonly resources: readonly {
    readonly name: string
    readonly type: string
    readonly status: string
    readonly containers: readonly string[]
  }[]
  readonly labels: readonly string[]
  readonly images: readonly string[]
  /** Resources that can be made in two ways. */
  readonly choices: readonly string[]
}

export interface Lookups {
  /** @param file what `--file` names, if it is there */
  live(file: string | undefined): Promise<LiveNames>
  /** Projects for which daemons run. */
  projects(): Promise<readonly Candidate[]>
  /** Contexts of the kubeconfig. */
  contexts(): Promise<readonly string[]>
}

/** @param words what stands behind `devloop`, up to the cursor; the last one is being written, and may be empty */
export async function completeWords(program: Command, words: readonly string[], lookups: Lookups): Promise<Completion> {
  const current = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const [name, ...given] = before
  const fitting = ({ candidates, ...rest }: Completion): Completion => ({
    ...rest,
    candidates: candidates.filter(({ value }) => value.startsWith(current)),
  })
  if (name === undefined) return fitting({ candidates: current.startsWith('-') ? optionsOf(program, []) : commandsOf(program) })
  if (name === 'help') return fitting({ candidates: given.length === 0 ? commandsOf(program) : [] })
  const command = program.commands.find((one) => one.name() === name && !isHidden(one))
  if (!command) return { candidates: [] }
  if (given.includes('--')) return { candidates: [], ...(name === 'exec' && { paths: 'files' }) }

  const file = fileIn(given)
  const live = (): Promise<LiveNames> => lookups.live(file)
  const asked = { given, live, projects: lookups.projects, contexts: lookups.contexts }
  const [, long, value] = /^(--[\w-]+)=(.*)$/.exec(current) ?? []
  const inline = long === undefined ? undefined : optionOf(command, long)
  if (inline && takesValue(inline)) {
    const found = await valuesOf(inline, value ?? '', asked)
    return fitting({ candidates: found.candidates.map((one) => ({ ...one, value: `${long}=${one.value}` })) })
  }
  const last = given.at(-1)
  const open = last?.startsWith('-') ? optionOf(command, last) : undefined
  if (open && takesValue(open)) return fitting(await valuesOf(open, current, asked))
  if (current.startsWith('-')) return fitting({ candidates: optionsOf(command, given) })
  return fitting(await operandsOf(command, given, asked))
}

interface Asked {
  readonly given: readonly string[]
  readonly live: () => Promise<LiveNames>
  readonly projects: () => Promise<readonly Candidate[]>
  readonly contexts: () => Promise<readonly string[]>
}

const isHidden = (command: Command): boolean => (command as { readonly _hidden?: boolean })._hidden === true

const commandsOf = (program: Command): readonly Candidate[] => [
  ...program.commands
    .filter((one) => !isHidden(one))
    .map((one) => ({ value: one.name(), description: one.summary() || one.description() })),
  { value: 'help', description: 'print what there is to know about a command' },
]

const takesValue = (option: Option): boolean => option.required || option.optional

const optionOf = (command: Command, flag: string): Option | undefined =>
  command.options.find((one) => one.long === flag || one.short === flag)

/** Those that are not given yet, or may be given again. */
function optionsOf(command: Command, given: readonly string[]): readonly Candidate[] {
  const isOpen = (option: Option): boolean =>
    !option.hidden &&
    (/may be given/.test(option.description) || !given.some((word) => [option.short, option.long].includes(word.split('=')[0])))
  return [
    ...command.options.filter(isOpen).map(({ long, short, description }) => ({ value: long ?? short ?? '', description })),
    { value: '--help', description: 'print what there is to know about it' },
  ]
}

/** What `--file` is given. */
function fileIn(given: readonly string[]): string | undefined {
  const at = given.indexOf('--file')
  return at >= 0 ? given[at + 1] : given.find((word) => word.startsWith('--file='))?.slice('--file='.length)
}

const plain = (values: readonly string[]): Completion => ({ candidates: values.map((value) => ({ value })) })

async function valuesOf(option: Option, current: string, { given, live, contexts }: Asked): Promise<Completion> {
  if (option.argChoices) return plain(option.argChoices)
  switch (option.long) {
    case '--file':
    case '--junit':
    case '--json':
    case '--kubeconfig':
    case '--output':
    case '--bases':
      return { candidates: [], paths: 'files' }
    case '--context':
      return plain(await contexts())
    case '--dir':
      return { candidates: [], paths: 'folders' }
    case '--label':
      return plain((await live()).labels)
    case '--container': {
      const named = (await live()).resources.filter(({ name }) => given.includes(name))
      return plain([...new Set(named.flatMap(({ containers }) => containers))])
    }
    case '--local':
    case '--remote':
      return plain(withCommas(current, (await live()).choices))
    case '--image':
      return plain((await live()).images.map((image) => `${image}=`))
    case '--kinds':
      return plain(withCommas(current, viewKinds))
    case '--notify':
      return plain(['bell', 'desktop'])
    default:
      return { candidates: [] }
  }
}

/** The next of a list with commas. */
function withCommas(current: string, all: readonly string[]): readonly string[] {
  const before = current.split(',').slice(0, -1)
  return all.filter((one) => !before.includes(one)).map((one) => [...before, one].join(','))
}

async function operandsOf(command: Command, given: readonly string[], { live, projects }: Asked): Promise<Completion> {
  const operands = given.filter((word, index) => {
    const option = index > 0 ? optionOf(command, given[index - 1]!) : undefined
    return !word.startsWith('-') && !(option && takesValue(option))
  })
  const [first] = command.registeredArguments
  const isFull = first === undefined || (!first.variadic && operands.length > 0)
  if (isFull) return { candidates: [], ...(command.name() === 'exec' && { paths: 'files' }) }
  if (first.argChoices) return plain(first.argChoices)
  switch (first.name()) {
    case 'resource': {
      const { resources, labels } = await live()
      const names = resources.map(({ name, type, status }) => ({ value: name, description: `${type}, ${status}` }))
      // a shell is opened in one container
      const groups =
        command.name() === 'exec' ? [] : labels.map((label) => ({ value: `label:${label}`, description: 'all with this label' }))
      return { candidates: [...names, ...groups].filter(({ value }) => !operands.includes(value)) }
    }
    case 'path': {
      const { resources } = await live()
      return {
        candidates: resources.map(({ name, type, status }) => ({ value: name, description: `${type}, ${status}` })),
        paths: 'files',
      }
    }
    case 'project':
      return { candidates: await projects(), paths: 'folders' }
    case 'folder':
      return { candidates: [], paths: 'folders' }
    default:
      return { candidates: [] }
  }
}
