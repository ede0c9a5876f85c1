// `devloop watch` into a pipe or file: stable lines, one for each thing that happened. What they look like is promised in
// docs/cli.md, for problem matchers: a change begins and ends with a line of its own, and its errors stand between; what is wrong
// at a known place is listed, whole, each time that the list changes.
import type { DevloopClient } from '../../client/index.js'
import type { ErrorInfo } from '../../errors/devloop-error.js'
import type { ChangeView, ResourceView, SessionView } from '../../protocol/messages.js'
import { errorLines, errorText } from '../../client/status/error-text.js'
import { harmless } from '../../client/status/harmless.js'
import { logText } from './log-line.js'
import { problemBlock, problemLines } from './problem-lines.js'
import { plainStyle } from './style.js'
import { timeSpan } from '../../client/status/time-span.js'
import { troublesOf } from '../../client/status/troubles.js'
import { sessionOf } from '../../client/status/views.js'

export interface StatusView {
  close(): void
}

export interface LineOutput {
  write(text: string): unknown
  /** How much waits for whoever reads. Bytes; default 0. */
  readonly waiting?: number
  /** Writes the last. */
  end?(text: string): void
}

/** More of it must not wait in memory for a reader that stalls: of the log, and of all else, which is little. Bytes. */
const mostWaiting = { log: 1_000_000, all: 10_000_000 }

/** Writes until it is closed. What is not read in time is left out, and how much, is told. */
export function createPlainView(client: DevloopClient, out: LineOutput): StatusView {
  const told = new Map<string, string>()
  /** Whether something else than ready was told of a resource since all were told to be. */
  let waiting = true
  let problems: ReadonlyMap<string, string> = new Map()
  /** Lines that were left out since the last that was written. */
  let missing = 0
  const write = (line: string, limit = mostWaiting.all): void => {
    if ((out.waiting ?? 0) > limit) {
      missing += line.split('\n').length
      return
    }
    if (missing > 0) out.write(`… ${missing} lines are missing here\n`)
    missing = 0
    out.write(`${line}\n`)
  }
  /** Say something about a subject, unless it was the last thing said about it. */
  const say = (subject: string, line: string): void => {
    if (told.get(subject) === line) return
    told.set(subject, line)
    write(line)
  }
  /** By resource: its status, and the lines of its error, as they were told last. */
  const errors = new Map<string, { readonly status: string; readonly lines: readonly string[] }>()
  /** Of an error that has been told, what is known by now and was not then: the last words of a container come after its end. */
  const tellMore = (name: string, status: string, error: ErrorInfo | undefined): boolean => {
    const lines = error ? errorLines(error) : []
    const known = errors.get(name)
    errors.set(name, { status, lines })
    if (!known || known.status !== status || known.lines.length === 0) return false
    if (known.lines[0] !== lines[0] || !known.lines.every((line) => lines.includes(line))) return false
    const [first, ...more] = lines.filter((line) => !known.lines.includes(line))
    if (first !== undefined) write([`${name}: ${first.trimStart()}`, ...more].join('\n'))
    return true
  }
  const tellSession = ({ runtime, devloopfile, problems: now, warnings = [] }: SessionView): void => {
    if (devloopfile.error) say('devloopfile', `Devloopfile: failed: ${errorText(devloopfile.error)}`)
    else if (devloopfile.state === 'ok') say('devloopfile', `Devloopfile: plan ${devloopfile.generation} is in force`)
    const place = harmless(
      runtime.kind === 'process'
        ? 'the process runtime'
        : [runtime.context ?? 'the cluster', runtime.namespace].filter(Boolean).join('/'),
    )
    if (runtime.error) say('runtime', `devloop: failed: ${errorText(runtime.error)}`)
    else if (runtime.state !== 'connecting')
      say('runtime', runtime.state === 'lost' ? `devloop: the connection to ${place} is lost` : `devloop: connected to ${place}`)
    const current = new Map([
      ...now.map((problem) => [problem.code, `devloop: failed: ${errorText(problem)}`] as const),
      ...warnings.map((warning) => [warning.code, `devloop: warning: ${errorText(warning)}`] as const),
    ])
    for (const [code, text] of current) if (problems.get(code) !== text) write(text)
    for (const code of problems.keys()) if (!current.has(code as never)) write(`devloop: [${code}] is over`)
    problems = current
  }
  const tellResource = ({ name, status, activity, error, warnings, hold, ready, endpoints }: ResourceView): void => {
    // bringing a save into the pods is told by the change's own lines
    if (activity === 'syncing' && !error) return
    const reason = error
      ? `: ${errorText(error)}`
      : hold && (status === 'pending' || status === 'disabled')
        ? `: ${harmless(hold.message)}`
        : ''
    waiting ||= !ready
    const where = ready && endpoints.length > 0 ? ` at ${endpoints.map((one) => harmless(one.url)).join(' ')}` : ''
    if (!tellMore(name, status, error)) say(`resource/${name}`, `${name}: ${status}${reason}${where}`)
    if (hold?.code === 'pending') say(`pending/${name}`, `${name}: pending: ${harmless(hold.message)}`)
    else told.delete(`pending/${name}`)
    for (const warning of warnings) say(`warning/${name}/${warning.code}`, `${name}: warning: ${errorText(warning)}`)
    for (const one of endpoints)
      if (one.error) say(`endpoint/${one.url}`, `${name}: ${harmless(one.url)}: ${errorText(one.error)}`)
  }
  const tellBegin = ({ name, paths, pathCount }: ChangeView): void => {
    if (!told.has(`begin/${name}`)) sinceListed.add(name)
    say(`begin/${name}`, `change ${name} begins: ${harmless(pathCount === 1 ? (paths[0] ?? '') : `${pathCount} paths`)}`)
  }
  const tellEnd = ({ name, outcome, liveMs }: ChangeView): void =>
    say(
      `end/${name}`,
      `change ${name} ends: ${outcome}${outcome === 'live' && liveMs !== undefined ? ` in ${timeSpan(liveMs)}` : ''}`,
    )
  /** The list of problems as it was told last; undefined = never. */
  let listed: string | undefined
  /** Changes that have begun since then: a problem matcher has forgotten the list. */
  const sinceListed = new Set<string>()
  /** @param ending the changes of which the end is about to be told */
  const tellProblems = (ending: readonly ChangeView[]): void => {
    const views = client.views()
    const lines = problemLines(views)
    const text = lines.join('\n')
    // a matcher that waits for the first list must get one, and an empty one before anything was tried would be wrong
    const isSettled = sessionOf(views)?.ready === true || troublesOf(views).some(({ level }) => level === 'error')
    const isDue = listed === undefined ? isSettled : text !== listed
    if (!isDue && !(lines.length > 0 && ending.some(({ name }) => sinceListed.has(name)))) return
    listed = text
    sinceListed.clear()
    write(problemBlock(lines).join('\n'))
  }

  const ends = [
    client.onViews(({ upserts, removes }) => {
      const changes = upserts.filter((view) => view.kind === 'change').filter((view) => view.outcome !== 'nothing')
      for (const change of changes) tellBegin(change)
      for (const view of upserts) {
        if (view.kind === 'session') tellSession(view)
        else if (view.kind === 'resource') tellResource(view)
      }
      const ending = changes.filter(({ outcome }) => outcome !== 'pending')
      tellProblems(ending)
      for (const change of ending) {
        tellEnd(change)
        sinceListed.delete(change.name)
      }
      if (waiting && sessionOf(client.views())?.ready) {
        waiting = false
        write('devloop: all resources are ready')
      }
      for (const { kind, name } of removes) {
        if (kind === 'resource') say(`resource/${name}`, `${name}: removed`)
        if (kind === 'change') for (const line of ['begin', 'end']) told.delete(`${line}/${name}`)
      }
    }),
    client.logs({ tail: 1000 }, ({ lines, dropped }) => {
      missing += dropped
      for (const line of lines) write(logText(line, plainStyle, { raw: true }), mostWaiting.log)
    }),
  ]
  return {
    close() {
      for (const end of ends) end()
      out.end?.('')
    },
  }
}
