// `devloop watch --notify`: tells failures and recoveries to somebody who looks elsewhere.
import { spawn } from 'node:child_process'
import type { DevloopClient } from '../../client/index.js'
import { harmless } from '../../client/status/harmless.js'
import { sessionOf } from '../../client/status/views.js'
import { followFailures, type Notice } from './failures.js'

export interface NotifyOptions {
  /** `bell`, `desktop`, or command lines that get a `Notification` as JSON on stdin. */
  readonly ways: readonly string[]
  /** For the bell; undefined = there is no terminal. */
  readonly terminal: { write(text: string): unknown } | undefined
  /** Told once for each way that does not work. */
  readonly onProblem: (text: string) => void
  /** Milliseconds; default 300. */
  readonly gatherMs?: number
}

/** What a command gets on stdin, as one JSON object. */
export interface Notification {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly project: string
  /** One line for people, such as `api failed: shop/api could not be built`. */
  readonly text: string
  readonly notices: readonly Notice[]
}

/** What fails or recovers together is told together. Milliseconds. */
const usualGather = 300
/** A command that takes longer is ended. Milliseconds. */
const commandMs = 10_000

/** Tells until the client closes. Returns what ends it. */
export function notify(client: DevloopClient, { ways, terminal, onProblem, gatherMs = usualGather }: NotifyOptions): () => void {
  const failures = followFailures()
  const broken = new Set<string>()
  let gathered: Notice[] = []
  let timer: NodeJS.Timeout | undefined
  const problem = (way: string, why: string): void => {
    if (!broken.has(way)) onProblem(`--notify ${way}: ${why}`)
    broken.add(way)
  }
  const tell = (): void => {
    timer = undefined
    const notices = lastOfEach(gathered)
    gathered = []
    if (notices.length === 0) return
    const project = sessionOf(client.views())?.project ?? ''
    const notification = { at: Date.now(), project, text: notices.map(textOf).join('; '), notices }
    for (const way of ways) {
      if (way !== 'bell') run(commandOf(way, notification), (why) => problem(way, why))
      else if (terminal) terminal.write('\x07')
      else problem(way, 'there is no terminal to ring')
    }
  }
  const end = client.onViews(() => {
    gathered.push(...failures.look(client.views()))
    if (gathered.length > 0) timer ??= setTimeout(tell, gatherMs)
  })
  return () => {
    clearTimeout(timer)
    end()
  }
}

/** What failed and recovered within a moment is as it was. */
function lastOfEach(notices: readonly Notice[]): readonly Notice[] {
  const bySubject = new Map<string, Notice[]>()
  for (const notice of notices) bySubject.set(notice.subject, [...(bySubject.get(notice.subject) ?? []), notice])
  return [...bySubject.values()].flatMap((all) => {
    const [first, last] = [all[0], all.at(-1)]
    return !last || (all.length > 1 && first?.event !== last.event) ? [] : [last]
  })
}

const textOf = (notice: Notice): string => harmless(words(notice))

function words({ event, subject, error }: Notice): string {
  if (event === 'recovered') return `${subject} is well again`
  if (subject === 'devloop' && !error) return 'the connection to the cluster is lost'
  return `${subject} failed${error ? `: ${error.message.replaceAll('\n', ' ')}` : ''}`
}

interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly input: string
}

function commandOf(way: string, { project, text, ...rest }: Notification): Command {
  if (way !== 'desktop')
    return { program: 'sh', args: ['-c', way], input: `${JSON.stringify({ ...rest, project, text } satisfies Notification)}\n` }
  // as arguments, so that nothing in them is taken for a script
  if (process.platform === 'darwin') {
    const script = ['on run argv', 'display notification (item 2 of argv) with title (item 1 of argv)', 'end run']
    return { program: 'osascript', args: [...script.flatMap((line) => ['-e', line]), `devloop: ${project}`, text], input: '' }
  }
  const isBad = rest.notices.some(({ event }) => event === 'failed')
  const icon = isBad ? 'dialog-error' : 'dialog-information'
  return { program: 'notify-send', args: ['--app-name=devloop', `--icon=${icon}`, '--', `devloop: ${project}`, text], input: '' }
}

function run({ program, args, input }: Command, onFailed: (why: string) => void): void {
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'], timeout: commandMs })
  child.once('error', (thrown: NodeJS.ErrnoException) =>
    onFailed(thrown.code === 'ENOENT' ? `there is no ${program} in PATH` : thrown.message),
  )
  child.once('exit', (code, signal) => {
    if (code !== 0) onFailed(code === null ? `it was ended (${signal})` : `it ended with exit code ${code}`)
  })
  // it need not read what it gets
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  child.unref()
}
