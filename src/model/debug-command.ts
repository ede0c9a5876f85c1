// An app's command as it is started under its debugger. Debuggers listen on the loopback only: what leads there is devloop's forward.
import type { DebugLanguage } from './plan.js'

/** What to start instead: another command, variables that are appended to those of these names, or both. */
export interface DebugCommand {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Why a command cannot be started under the debugger, as a sentence; and what to do. */
export interface NoDebug {
  readonly why: string
  readonly help: string
}

/** Where debuggers of these languages listen by custom. */
export const debugPorts: Readonly<Record<DebugLanguage, number>> = { node: 9229, python: 5678, go: 2345, java: 5005 }

/**
 * The command for a debugger that listens on `port`.
 * @param argv entrypoint and arguments in one; empty = what the image says, which is not known
 */
export function debugCommand(language: DebugLanguage, port: number, argv: readonly string[]): DebugCommand | NoDebug {
  const words = simpleWords(argv)
  const at = words.findIndex((word, index) => !isWrapper(word, words, index))
  const main: Main = { words, at, program: at < 0 ? '' : baseName(words[at] ?? '') }
  switch (language) {
    case 'node':
      return node(port, main, argv)
    case 'java':
      return java(port, main, argv)
    case 'python':
      return python(port, main)
    case 'go':
      return go(port, main)
  }
}

export const isDebugCommand = (found: DebugCommand | NoDebug): found is DebugCommand => 'argv' in found

interface Main {
  readonly words: readonly string[]
  /** Where the program stands, behind what only starts it; -1 = nowhere. */
  readonly at: number
  readonly program: string
}

const listen = (port: number): string => `127.0.0.1:${port}`

function node(port: number, { words, at, program }: Main, argv: readonly string[]): DebugCommand | NoDebug {
  const flag = `--inspect=${listen(port)}`
  // to the program itself, so that no other process that it or a step starts wants the same port
  if (/^node(?:js)?(?:-?\d+)?$/.test(program)) return { argv: inserted(words, at + 1, [flag]), env: {} }
  if (/(?:^|[\s/])(?:npm|npx|yarn|pnpm|corepack)(?:\s|$)/.test([...words, ''].join(' ')))
    return {
      why: 'It starts node by a package manager, which is a program of node too and would take the debugger for itself.',
      help: "Start it without: command: ['node', ...].",
    }
  return { argv, env: { NODE_OPTIONS: flag } }
}

function java(port: number, { words, at, program }: Main, argv: readonly string[]): DebugCommand {
  const flag = `-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=${listen(port)}`
  return program === 'java' ? { argv: inserted(words, at + 1, [flag]), env: {} } : { argv, env: { JAVA_TOOL_OPTIONS: flag } }
}

/** Console scripts that are modules of the same name. */
const pythonModules = new Set(['uvicorn', 'gunicorn', 'hypercorn', 'flask', 'celery', 'pytest', 'waitress-serve'])

function python(port: number, { words, at, program }: Main): DebugCommand | NoDebug {
  const debug = ['-m', 'debugpy', '--listen', listen(port)]
  if (/^(?:python|pypy)[\d.]*$/.test(program)) {
    let end = at + 1
    // its own options come first: those that take a word, and those that take none
    for (let word = words[end]; word !== undefined && /^-[^-]/.test(word) && !/^-[mc]/.test(word); word = words[end])
      end += word === '-W' || word === '-X' ? 2 : 1
    if (end < words.length) return { argv: inserted(words, end, debug), env: {} }
  }
  if (pythonModules.has(program)) {
    const module = program.replace('-serve', '')
    return { argv: [...words.slice(0, at), 'python', ...debug, '-m', module, ...words.slice(at + 1)], env: {} }
  }
  return {
    why: at < 0 ? 'Its command is not known, or is more than one program.' : `Its command starts \`${program}\`, and not python.`,
    help: "Give it a command that starts python itself: command: ['python', 'app.py'].",
  }
}

function go(port: number, { words, at, program }: Main): DebugCommand | NoDebug {
  const options = [
    '--headless',
    '--continue',
    '--accept-multiclient',
    '--api-version=2',
    '--check-go-version=false',
    '--only-same-user=false',
    `--listen=${listen(port)}`,
  ]
  if (at < 0 || /^(?:sh|bash|ash|dash)$/.test(program))
    return {
      why: 'Its command is not known, or is more than one program.',
      help: "Give it a command that starts the program itself: command: ['/app/server'].",
    }
  const before = words.slice(0, at)
  const rest = words.slice(at + 1)
  const run = program === 'go' && rest[0] === 'run' && rest[1] !== undefined && !rest[1].startsWith('-')
  const [mode, target, args] = run ? ['debug', rest[1] ?? '', rest.slice(2)] : ['exec', words[at] ?? '', rest]
  return { argv: [...before, 'dlv', mode, target, ...options, ...(args.length > 0 ? ['--', ...args] : [])], env: {} }
}

const inserted = (words: readonly string[], at: number, more: readonly string[]): readonly string[] => [
  ...words.slice(0, at),
  ...more,
  ...words.slice(at),
]

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** A shell that runs nothing but one program is that program. */
function simpleWords(argv: readonly string[]): readonly string[] {
  const [shell = '', flag, text] = argv
  if (argv.length !== 3 || flag !== '-c' || text === undefined || !/^(?:sh|bash|ash|dash)$/.test(baseName(shell))) return argv
  const words = text.trim().replace(/^exec +/, '')
  return /^[\w@%+:,./-]+(?: +[\w@%+=:,./-]+)*$/.test(words) ? words.split(/ +/) : argv
}

/** What starts the program that follows it, and only that. */
function isWrapper(word: string, words: readonly string[], index: number): boolean {
  const name = baseName(word)
  return (
    index < words.length - 1 &&
    (/^(?:tini|dumb-init|catatonit|exec)$/.test(name) || /entrypoint(?:\.sh)?$/.test(name) || name.startsWith('-'))
  )
}

/**
 * What an image lacks for a debugger, seen from what its process said when it could not be started.
 * @returns what is missing and how to bring it, or undefined
 */
export function missingDebugger(
  language: DebugLanguage,
  said: string,
): { readonly what: string; readonly help: string } | undefined {
  if (language === 'go' && /\bdlv\b/.test(said) && /not found|no such file|no command/i.test(said))
    return {
      what: 'dlv',
      help: 'Put it into the image: COPY --from the stage that ran `go install github.com/go-delve/delve/cmd/dlv@latest`.',
    }
  if (language === 'python' && /No module named '?debugpy/.test(said))
    return { what: 'debugpy', help: 'Put it into the image: RUN pip install debugpy.' }
  return undefined
}
