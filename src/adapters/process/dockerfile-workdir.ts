// The working folder that a Dockerfile ends in, found by reading it: no engine is asked.
import { posix } from 'node:path'

export interface WorkdirQuestion {
  /** The Dockerfile's text. */
  readonly text: string
  /** Build arguments that replace the defaults of `ARG`. */
  readonly args: Readonly<Record<string, string>>
  /** Name or number of the stage that is built; undefined = the last. */
  readonly target?: string | undefined
}

interface Stage {
  readonly names: readonly string[]
  workdir: string
  /** ARG and ENV values in force. */
  readonly variables: Map<string, string>
  /** Names of those that ENV set: an argument of the same name does not replace them. */
  readonly env: Set<string>
}

/**
 * The last WORKDIR of the built stage, absolute: relative ones build on earlier ones, a stage that is based on another begins with
 * its folder, ARG and ENV are filled in. `/` when there is none (what an outside base image sets is not known), undefined when there
 * is no such stage.
 */
export function dockerfileWorkdir({ text, args, target }: WorkdirQuestion): string | undefined {
  const globals = new Map<string, string>()
  const stages: Stage[] = []
  let stage: Stage | undefined

  for (const { name, rest } of instructions(text)) {
    const variables = stage?.variables ?? globals
    if (name === 'FROM') {
      const [base = '', as, alias] = rest.split(/\s+/).filter((word) => !word.startsWith('--'))
      const parent = findStage(stages, substitute(base, globals))
      stage = {
        names: [String(stages.length), ...(as?.toLowerCase() === 'as' && alias ? [alias.toLowerCase()] : [])],
        workdir: parent?.workdir ?? '/',
        variables: new Map(parent ? [...parent.variables].filter(([key]) => parent.env.has(key)) : []),
        env: new Set(parent?.env),
      }
      stages.push(stage)
    } else if (name === 'ARG') {
      for (const word of words(rest)) {
        const [key, fallback] = splitPair(word)
        const value = args[key] ?? (fallback === undefined ? globals.get(key) : substitute(fallback, variables))
        if (value !== undefined && !stage?.env.has(key)) variables.set(key, value)
      }
    } else if (name === 'ENV' && stage) {
      // all values of one instruction see the variables as they were before it
      const pairs = envPairs(rest).map(([key, value]) => [key, substitute(value, variables)] as const)
      for (const [key, value] of pairs) {
        stage.env.add(key)
        stage.variables.set(key, value)
      }
    } else if (name === 'WORKDIR' && stage) {
      stage.workdir = posix.resolve(stage.workdir, substitute(unquote(rest.trim()), variables) || '.')
    }
  }
  return target === undefined ? (stage?.workdir ?? '/') : findStage(stages, target)?.workdir
}

const findStage = (stages: readonly Stage[], name: string): Stage | undefined =>
  stages.findLast((candidate) => candidate.names.includes(name.toLowerCase()))

/** The instructions with lines joined, comments and here-documents left out. */
function* instructions(text: string): Generator<{ name: string; rest: string }> {
  const escape = /^#\s*escape\s*=\s*`/im.test(text.split(/^\s*[^#\s]/m, 1)[0] ?? '') ? '`' : '\\'
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  for (let at = 0; at < lines.length; at++) {
    let line = lines[at] ?? ''
    if (/^\s*(#|$)/.test(line)) continue
    while (line.trimEnd().endsWith(escape) && at + 1 < lines.length) {
      const next = lines[++at] ?? ''
      // comments and empty lines may stand within a continued instruction
      if (!/^\s*(#|$)/.test(next)) line = line.trimEnd().slice(0, -1) + next
    }
    const [, name = '', rest = ''] = /^\s*(\w+)\s*(.*)$/s.exec(line) ?? []
    const upper = name.toUpperCase()
    if (upper === 'RUN' || upper === 'COPY' || upper === 'ADD') {
      for (const [, dash, , word] of rest.matchAll(/<<(-?)(["']?)([A-Za-z_]\w*)\2/g)) {
        const isEnd = (candidate: string): boolean => (dash ? candidate.replace(/^\t+/, '') : candidate) === word
        while (at + 1 < lines.length && !isEnd(lines[++at] ?? ''));
      }
    }
    yield { name: upper, rest }
  }
}

/** `ENV a=1 b="2 3"` or the old `ENV key the whole rest`. */
function envPairs(rest: string): [string, string][] {
  const old = /^([^\s=]+)\s+(.*)$/s.exec(rest.trim())
  if (old) return [[old[1] ?? '', old[2] ?? '']]
  return words(rest).map((word) => {
    const [key, value = ''] = splitPair(word)
    return [key, value]
  })
}

const words = (text: string): string[] => text.match(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/gs) ?? []

function splitPair(word: string): [string, string | undefined] {
  const at = word.indexOf('=')
  return at < 0 ? [unquote(word), undefined] : [word.slice(0, at), unquote(word.slice(at + 1))]
}

const unquote = (text: string): string =>
  text.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'/gs, (_, double?: string, single?: string) => double ?? single ?? '')

/** `$a`, `${a}`, `${a:-default}` and `${a:+other}`; what is not set becomes empty, as in Docker. */
const substitute = (text: string, variables: ReadonlyMap<string, string>): string =>
  text.replace(
    /\\(\$)|\$(\w+)|\$\{(\w+)(?::?([-+])([^}]*))?\}/g,
    (_, escaped?: string, plain?: string, braced?: string, operator?: string, word = '') => {
      if (escaped) return escaped
      const value = variables.get(plain ?? braced ?? '')
      if (operator === '-') return value ? value : substitute(word as string, variables)
      if (operator === '+') return value ? substitute(word as string, variables) : ''
      return value ?? ''
    },
  )
