// A sync session by the agent, whatever carries its streams.
import { DevloopError } from '../../../../errors/devloop-error.js'
import type { Command, ReloadSignal } from '../../../../model/plan.js'
import type { LinkOutcome } from '../../../../model/link.js'
import type { Entry, Wanted } from '../../../../model/tree.js'
import type { NetworkPlace, SyncSession, WatchOptions } from '../../../../ports/sync-transport.js'
import type { OpenExec } from '../exec-stream.js'
import { createLineReader } from '../output-lines.js'
import { abortError, shellPath, noUser } from '../remote-command.js'
import { sourceChanged } from '../load-files.js'
import { watchByPolling } from '../poll-watch.js'
import { abortable, createQueue } from '../serial-queue.js'
import { sessionEnd } from '../session-end.js'
import { notSent, notTaken, signalNumbers } from '../signal-main.js'
import { syncFailure } from '../sync-failure.js'
import { pathReader, type SyncPath } from '../sync-paths.js'
import { applyByAgent, failureText } from './agent-apply.js'
import { readEntries, readFact } from './agent-facts.js'
import { readByAgent, watchByAgent } from './agent-watch.js'
import { AgentFailure, openAgentChannel, readFailure, untilDone, type AgentChannel } from './agent-channel.js'
import { kinds, numberField, outputs, readFields, sizedFields, type AgentFrame, type FieldReader } from './frames.js'

export interface AgentSessionOptions {
  readonly exec: OpenExec
  /** As in SyncTransport.open. */
  readonly roots: readonly string[]
  /** For messages, such as `container web of pod shop/web-1`. */
  readonly name: string
  /** Where the agent is in the container, such as `/.devloop/agent`. */
  readonly agentPath: string
  /** The version that it must be, as in dist/agent/version. */
  readonly version: string
  /** Milliseconds without progress until the container counts as lost; default 30,000. */
  readonly deadlineMs?: number
  /** Milliseconds of rest after which left-overs of earlier sessions are swept, once; default 1,000. */
  readonly sweepAfterMs?: number
}

/** Bounds of one question. */
const inspectBounds = { paths: 2000, bytes: 256 * 1024 } as const
/** How long ending a command may take, in milliseconds. */
const endMs = 15_000

/**
 * Start the agent in a container and greet it.
 * @throws DevloopError sync/no-agent when it is not there, cannot be executed or is another version: something else may work;
 *   sync/disconnected, cluster/*
 */
export async function openAgentSession(options: AgentSessionOptions, signal: AbortSignal): Promise<SyncSession> {
  const { exec, name, agentPath } = options
  const roots = [...new Set(options.roots.map((root) => (root.length > 1 ? root.replace(/\/+$/, '') : root)))]
  const argv = [agentPath, 'serve', ...roots.flatMap((root) => ['--root', root])]
  let close: () => void = () => {}
  const giveUp = (): void => close()
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    const stream = await exec(argv, { stdin: true, signal })
    close = () => stream.close()
    // it may have been called off while the stream was being opened
    if (signal.aborted) throw abortError(signal)
    const channel = await openAgentChannel(stream, {
      name,
      version: options.version,
      deadlineMs: options.deadlineMs ?? 30_000,
      sweepAfterMs: options.sweepAfterMs ?? 1_000,
    })
    return createSession(channel, name, roots)
  } catch (thrown) {
    close()
    if (signal.aborted) throw abortError(signal)
    throw notStarted(thrown, options) ?? thrown
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

/** The error that says that the agent is not there, when that is what the stream ended with. */
function notStarted(thrown: unknown, { agentPath, name }: AgentSessionOptions): DevloopError | undefined {
  if (!(thrown instanceof DevloopError)) return undefined
  const said = `${thrown.message} ${thrown.info.why ?? ''}`
  if (!said.includes(agentPath) && !/exec format error|operation not permitted|permission denied/i.test(said)) return undefined
  if (!['run/failed', 'sync/disconnected', 'sync/no-shell'].includes(thrown.code)) return undefined
  return new DevloopError('sync/no-agent', `The agent cannot be started in ${name}.`, {
    why: thrown.info.why ?? thrown.message,
    cause: thrown,
  })
}

function createSession(channel: AgentChannel, name: string, roots: readonly string[]): SyncSession {
  const read = pathReader(roots)
  const queue = createQueue()
  let group = 0

  /** One at a time; an abort ends the wait at once, and the work at its next border between frames. */
  const serial = <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> =>
    abortable(
      signal,
      queue.add(async () => {
        signal.throwIfAborted()
        try {
          return await work()
        } catch (thrown) {
          if (!(thrown instanceof AgentFailure)) throw thrown
          if (thrown.code === 'corrupt') throw sourceChanged(thrown.path)
          const paths = thrown.path ? [thrown.path] : []
          throw syncFailure({ output: failureText(thrown), status: 1, paths, roots, user: channel.user, name })
        }
      }),
    )

  const place = (at: SyncPath): Buffer[] => {
    const below = at.path === at.root ? '' : at.path.slice(at.root === '/' ? 1 : at.root.length + 1)
    return [numberField(roots.indexOf(at.root)), ...sizedFields(below)]
  }

  const pathOf = (fields: FieldReader): string => {
    const root = roots[fields.number()] ?? ''
    const below = fields.text()
    return below ? `${root === '/' ? '' : root}/${below}` : root
  }

  const listPlaces = async ({ places, skip }: WatchOptions, signal: AbortSignal): Promise<Map<string, Entry | undefined>> => {
    const found = new Map<string, Entry | undefined>()
    const onEntry = (path: string, entry: Entry | undefined): void => {
      if (places.some((at) => path === at || path.startsWith(`${at}/`))) found.set(path, entry)
    }
    await list(channel, pathOf, skip.map(read).flatMap(place), onEntry, signal)
    return found
  }

  return {
    description: 'agent',
    inspect: (paths, signal) => serial(signal, () => inspect(channel, paths.map(read), place, signal)),
    apply: (ops, signal) =>
      serial(signal, () => {
        group = (group % 0xffff_ffff) + 1
        return applyByAgent(ops, { channel, read, place, pathOf, group }, signal)
      }),
    watch: async (wanted, signal) => {
      try {
        return await watchByAgent({ channel, name, place: (path) => place(read(path)), pathOf }, wanted, signal)
      } catch (thrown) {
        // such as fs.inotify.max_user_watches of the node
        if (!(thrown instanceof AgentFailure)) throw thrown
        const polled = await watchByPolling((within) => listPlaces(wanted, within), wanted, signal)
        return { ...polled, how: `${polled.how}, since the node refuses watches: ${thrown.code} ${thrown.message}` }
      }
    },
    read: (path, size, signal) => readByAgent(channel, place(read(path)), { path, size, name }, signal),
    list: ({ skip, onEntry }, signal) => list(channel, pathOf, skip.map(read).flatMap(place), onEntry, signal),
    run: (command, onLine, signal, user) => run(channel, name, { command, user }, onLine, signal),
    restart: (signal) => serial(signal, () => restart(channel, name)),
    listening: (port, signal) => untilDone(channel, kinds.listening, [numberField(port)], signal),
    dial: (to, signal) => dial(channel, to, signal),
    signal: (wanted, signal) => serial(signal, () => sendSignal(channel, name, wanted)),
    ...sessionEnd(channel),
  }
}

async function inspect(
  channel: AgentChannel,
  paths: readonly SyncPath[],
  place: (at: SyncPath) => Buffer[],
  signal: AbortSignal,
): Promise<Map<string, Wanted>> {
  const found = new Map<string, Wanted>()
  const answers: Promise<void>[] = []
  let asked: SyncPath[] = []
  let fields: Buffer[] = []
  let bytes = 0
  const ask = async (): Promise<void> => {
    await channel.room()
    signal.throwIfAborted()
    const about = asked[Symbol.iterator]()
    const answer = channel.request(kinds.inspect, fields, (facts) => readFacts(facts, about, found))
    // it is waited for below
    answer.catch(() => {})
    answers.push(answer)
    asked = []
    fields = []
    bytes = 0
  }
  for (const at of paths) {
    if (asked.length >= inspectBounds.paths || bytes > inspectBounds.bytes) await ask()
    asked.push(at)
    fields.push(...place(at))
    bytes += at.path.length
  }
  if (asked.length > 0) await ask()
  await Promise.all(answers)
  return found
}

/** Everything below the roots; beside all other work. */
function list(
  channel: AgentChannel,
  pathOf: (fields: FieldReader) => string,
  skipped: readonly Buffer[],
  onEntry: (path: string, entry: Entry | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  return untilDone(channel, kinds.list, skipped, signal, ({ kind, body }) => {
    if (kind !== kinds.listed) return
    for (const [path, held] of readEntries(body, pathOf)) onEntry(path, held?.kind === 'absent' ? undefined : held)
  })
}

/** How long a way to another app may take. Milliseconds; the agent takes no more than 10,000. */
const dialMs = 5_000

/** Beside all other work. */
async function dial(channel: AgentChannel, { host, port }: NetworkPlace, signal: AbortSignal): Promise<LinkOutcome> {
  try {
    await untilDone(channel, kinds.dial, [...sizedFields(host), numberField(port), numberField(dialMs)], signal)
    return { state: 'ok' }
  } catch (thrown) {
    if (!(thrown instanceof AgentFailure)) throw thrown
    return { state: 'failed', step: thrown.code === 'dns' ? 'dns' : 'tcp', why: thrown.message }
  }
}

/** The facts come in the order of the paths that were asked about. */
function readFacts(facts: Buffer, about: Iterator<SyncPath>, into: Map<string, Wanted>): void {
  const fields = readFields(facts)
  while (!fields.done) {
    const { value: at } = about.next() as IteratorResult<SyncPath, undefined>
    if (!at) throw new RangeError('more facts than were asked for')
    const fact = readFact(fields)
    if (fact) into.set(at.path, fact)
  }
}

function run(
  channel: AgentChannel,
  name: string,
  { command, user }: { readonly command: Command; readonly user: string | undefined },
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<{ exitCode: number }> {
  const argv = typeof command === 'string' ? [shellPath, '-c', command] : command
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(abortError(signal))
      return
    }
    const lines = { [outputs.main]: createLineReader(onLine), [outputs.errors]: createLineReader(onLine) }
    let timer: NodeJS.Timeout | undefined
    const over = (settle: () => void): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      if (signal.aborted) reject(abortError(signal))
      else settle()
    }
    const onFrame = ({ kind, body }: AgentFrame): void => {
      if (kind === kinds.output) {
        lines[body.readUInt8(0) === outputs.errors ? outputs.errors : outputs.main].push(body.subarray(1))
        return
      }
      for (const one of Object.values(lines)) one.end()
      if (kind === kinds.exited) over(() => resolve({ exitCode: body.readUInt32BE(0) }))
      else if (kind === kinds.failed) {
        const { code, path: program, message: text } = readFailure(body)
        if (code === 'user') over(() => reject(noUser(program, name, text)))
        else if (typeof command === 'string') over(() => reject(noShell(name, text)))
        else {
          // as a shell says it
          if (!signal.aborted) onLine(`${program}: ${text}`)
          over(() => resolve({ exitCode: code === 'ENOENT' ? 127 : 126 }))
        }
      }
    }
    const begun = channel.begin(
      kinds.run,
      [user ?? '', ...argv].flatMap((word) => sizedFields(word)),
      { onFrame, onLost: (error) => over(() => reject(error)) },
    )
    const onAbort = (): void => {
      begun.cancel()
      timer = setTimeout(() => over(() => {}), endMs)
    }
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

const noShell = (name: string, why: string): DevloopError =>
  new DevloopError('run/failed', `There is no shell (${shellPath}) in ${name}.`, {
    why,
    help: 'Give the command as an array: then it needs no shell.',
  })

async function restart(channel: AgentChannel, name: string): Promise<void> {
  try {
    await channel.request(kinds.restart, [])
  } catch (thrown) {
    if (!(thrown instanceof AgentFailure)) throw thrown
    if (thrown.code === 'no-supervisor')
      throw new DevloopError(
        'restart/unsupported',
        `The main process of ${name} was not started by devloop's supervisor, so it cannot be restarted in place.`,
      )
    throw new DevloopError('restart/failed', `The process in ${name} was not restarted.`, { why: thrown.message })
  }
}

async function sendSignal(channel: AgentChannel, name: string, wanted: ReloadSignal): Promise<void> {
  try {
    await channel.request(kinds.signal, [numberField(signalNumbers[wanted])])
  } catch (thrown) {
    if (!(thrown instanceof AgentFailure)) throw thrown
    throw thrown.code === 'not-taken' ? notTaken(wanted, name, thrown.message) : notSent(wanted, name, thrown.message)
  }
}
