// What a run of `devloop ci` came to, for people: what failed first, then each resource in a line.
import { isDeepStrictEqual } from 'node:util'
import type { CiReport, CiResource } from '../../protocol/messages.js'
import { errorLines } from '../../client/status/error-text.js'
import { pad } from './fit.js'
import { harmless } from '../../client/status/harmless.js'
import type { Style } from './style.js'
import { timeSpan } from '../../client/status/time-span.js'

/** @param tailOf newest lines of output of a resource */
export function ciSummary(report: CiReport, tailOf: (resource: string) => readonly string[], style: Style): string {
  const failed = report.resources.filter((one) => one.outcome === 'failed')
  const lines: string[] = []
  for (const error of report.problems) {
    const [first = '', ...more] = errorLines(error)
    lines.push(`${style.red('✗')} ${first}`, ...more.map((line) => `  ${line}`), '')
  }
  for (const { names, error } of grouped(failed)) {
    const [first = '', ...more] = error ? errorLines(error) : []
    // many messages begin with the name themselves
    const [only = '', ...others] = names
    const told = others.length === 0 && first.startsWith(`${only}: `) ? first.slice(only.length + 2) : first
    lines.push(`${style.red('✗')} ${style.bold(names.join(', '))}: ${told}`, ...more.map((line) => `  ${line}`))
    for (const name of names) lines.push(...tailLines(name, tailOf(name), error?.why, style))
    lines.push('')
  }
  const width = Math.max(...report.resources.map(({ name }) => name.length), 0)
  for (const one of report.resources) lines.push(`${pad(one.name, width)}  ${outcomeText(one, style)}`)
  if (report.resources.length > 0) lines.push('')
  lines.push(headline(report, style))
  return lines.join('\n')
}

/** Those that failed for the very same reason are told together. */
function grouped(failed: readonly CiResource[]): { names: string[]; error: CiResource['error'] }[] {
  const groups: { names: string[]; error: CiResource['error'] }[] = []
  for (const { name, error } of failed) {
    const known = groups.find((one) => isDeepStrictEqual(one.error, error))
    if (known) known.names.push(name)
    else groups.push({ names: [name], error })
  }
  return groups
}

function tailLines(name: string, tail: readonly string[], why: string | undefined, style: Style): string[] {
  // the error may have told them already
  const told = new Set(why?.split('\n') ?? [])
  if (tail.length === 0 || tail.every((line) => told.has(line))) return []
  return [style.dim(`  last output of ${name}:`), ...tail.map((line) => `    ${harmless(line)}`)]
}

function outcomeText({ outcome, reason, error, readyMs }: CiResource, style: Style): string {
  switch (outcome) {
    case 'passed':
      return style.green('passed') + (readyMs === undefined ? '' : style.dim(` in ${timeSpan(readyMs)}`))
    case 'failed':
      return `${style.red('failed')} [${error?.code}]`
    case 'waiting':
      return `${style.yellow('not ready')}${reason === undefined ? '' : `: ${harmless(reason)}`}`
    case 'skipped':
      return style.dim(`skipped${reason === undefined ? '' : `: ${harmless(reason)}`}`)
  }
}

function headline({ outcome, durationMs, resources, problems }: CiReport, style: Style): string {
  const count = (wanted: CiResource['outcome']): number => resources.filter((one) => one.outcome === wanted).length
  const parts = (
    [
      ['passed', 'passed'],
      ['failed', 'failed'],
      ['waiting', 'not ready'],
      ['skipped', 'skipped'],
    ] as const
  ).flatMap(([key, text]) => (count(key) > 0 ? [`${count(key)} ${text}`] : []))
  const counts = parts.length > 0 ? parts.join(', ') : (problems[0]?.code ?? 'nothing was loaded')
  const text = `devloop ci: ${outcome} after ${timeSpan(durationMs)}: ${counts}`
  return style.bold(outcome === 'passed' ? style.green(text) : style.red(text))
}
