// What is wrong now, as places in files. Pure: views in, problems out.
import { errorLines, harmless, resourcesOf, troublesOf, type ErrorInfo, type Trouble, type Views } from 'devloop/client'
import type { Finding, Place } from './compiler-output.js'

export interface Problem {
  readonly file: string
  /** Counts from 1. */
  readonly line: number
  readonly column?: number
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly code?: string
  /** What it concerns: names of resources, `Devloopfile`, `devloop`. */
  readonly subjects: readonly string[]
  /** The error that it belongs to, where that has a place of its own: the instruction whose compiler said this. */
  readonly during?: { readonly file: string; readonly line: number; readonly message: string }
}

/** The errors and warnings that name a file themselves. */
export const placedProblems = (views: Views): Problem[] => troublesOf(views).flatMap((trouble) => problemOf(trouble) ?? [])

function problemOf({ level, subjects, error }: Trouble): Problem | undefined {
  if (!error.where) return undefined
  return { ...error.where, severity: level, message: messageOf(error), code: error.code, subjects }
}

/** An error whose words may hold places in source files. */
export interface Spoken {
  readonly subjects: readonly string[]
  readonly error: ErrorInfo
  /** Changes when there is something new to read. */
  readonly fingerprint: string
  /** The words; or whose log holds them, since the error has but the end. */
  readonly words: readonly string[] | { readonly logOf: string }
}

/** Errors that quote programs of the user: compilers in builds and steps, locals, apps that ended. */
const quoting = /^(?:(?:build|local|run|custom|job)\/failed|app\/(?:exited|prepare)|pod\/crashed)$/

/** The errors whose words are worth reading. */
export function spokenErrors(views: Views): Spoken[] {
  const since = new Map(resourcesOf(views).map(({ name, since: at }) => [name, at]))
  return troublesOf(views).flatMap(({ level, subjects, error }): Spoken[] => {
    const [subject = ''] = subjects
    if (level !== 'error' || !quoting.test(error.code)) return []
    const fingerprint = JSON.stringify([error, subjects, since.get(subject)])
    if (error.code === 'local/failed') return [{ subjects, error, fingerprint, words: { logOf: subject } }]
    return error.why === undefined ? [] : [{ subjects, error, fingerprint, words: error.why.split('\n') }]
  })
}

/** What a local wrote in its last run: its own lines behind the last that devloop wrote about it, but for the one that tells the end. */
export function lastRun(
  entries: readonly { readonly source: string; readonly level: string; readonly text: string }[],
): string[] {
  const begin = entries.findLastIndex(({ source, level }) => source === 'local' && level === 'info')
  return entries.slice(begin + 1).flatMap(({ source, text }) => (source === 'run' || source === 'serve' ? [text] : []))
}

/** A finding at the place that was found for it. */
export function foundProblem({ subjects, error }: Spoken, finding: Finding, at: Place): Problem {
  return {
    file: at.path,
    line: at.line,
    ...(at.column === undefined ? {} : { column: at.column }),
    severity: finding.severity,
    message: harmless(finding.message),
    ...(finding.code === undefined ? {} : { code: finding.code }),
    subjects,
    ...(error.where
      ? { during: { file: error.where.file, line: error.where.line, message: messageOf({ ...error, why: '' }) } }
      : {}),
  }
}

const whyLines = 8

/** The error as a text for people, without its place and code, which stand beside it. */
export function messageOf({ message, why = '', help }: ErrorInfo): string {
  const lines = why.trimEnd().split('\n')
  const shown = lines.length > whyLines ? ['…', ...lines.slice(-whyLines)] : lines
  return [...message.split('\n'), ...shown, help]
    .map(harmless)
    .filter((line) => line.trim() !== '')
    .join('\n')
}

/** The whole error, for a tooltip. */
export const wholeError = (error: ErrorInfo): string => errorLines(error).join('\n')

/** By file, each place and message once. */
export function byFile(problems: readonly Problem[]): Map<string, Problem[]> {
  const files = new Map<string, Problem[]>()
  for (const problem of problems) {
    const known = files.get(problem.file)
    if (!known) files.set(problem.file, [problem])
    else if (!known.some((one) => one.line === problem.line && one.message === problem.message)) known.push(problem)
  }
  return files
}
