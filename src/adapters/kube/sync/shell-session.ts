// A sync session over a shell loop, whatever carries its streams.
import { DevloopError } from '../../../errors/devloop-error.js'
import type { Entry, Wanted } from '../../../model/tree.js'
import type { SyncSession, WatchOptions } from '../../../ports/sync-transport.js'
import { applyOperations, StepFailure } from './apply-operations.js'
import { lineBytes, type Step } from './apply-steps.js'
import { noToolHelp } from './dockerfile-help.js'
import type { OpenExec } from './exec-stream.js'
import { frameKey, openFrames, type FrameAnswer, type FrameChannel } from './frame-channel.js'
import { inspectBounds, inspectQuestion } from './inspect-frames.js'
import { knownTools, loopScript, partPrefix, temporaryPrefix, type Tool } from './loop-script.js'
import { abortError, runRemote, shellPath } from './remote-command.js'
import { watchByPolling } from './poll-watch.js'
import { createRestarter } from './restart.js'
import { quote } from './shell-quote.js'
import { abortable, createQueue, type Queue } from './serial-queue.js'
import { createSignaller } from './signal-main.js'
import { sessionEnd } from './session-end.js'
import { syncFailure } from './sync-failure.js'
import { canRead, dropTemporaries, keptPaths, listPaths, planSwaps, readPieces, swapEach } from './shell-files.js'
import { pathReader, type SyncPath } from './sync-paths.js'

export interface ShellSessionOptions {
  readonly exec: OpenExec
  /** As in SyncTransport.open. */
  readonly roots: readonly string[]
  /** For messages, such as `container web of pod shop/web-1`. */
  readonly name: string
  /** The program that runs the loop; default `/bin/sh`. */
  readonly shell?: readonly string[]
  /** Tools to do without even where they are found. */
  readonly without?: readonly Tool[]
  /** Milliseconds without progress until the container counts as lost; default 30,000. */
  readonly deadlineMs?: number
  /** Milliseconds of rest after which left-overs of earlier sessions are swept, once; default 1,000. */
  readonly sweepAfterMs?: number
  /** Milliseconds after which parts of large files are swept that nobody has gone on with; default 120,000. */
  readonly partsAfterMs?: number
}

/** Start the loop. @throws DevloopError sync/no-shell, sync/no-tool, sync/disconnected, cluster/* */
export async function openShellSession(options: ShellSessionOptions, signal: AbortSignal): Promise<SyncSession> {
  const { exec, roots, name } = options
  const key = frameKey()
  const session = key.slice(0, 8)
  const stream = await exec([...(options.shell ?? [shellPath]), '-c', loopScript, 'devloop', key, session], {
    stdin: true,
    signal,
  })
  const giveUp = (): void => stream.close()
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    // it may have been called off while the stream was being opened
    if (signal.aborted) throw abortError(signal)
    const { channel, hello } = await openFrames(stream, { name, key, deadlineMs: options.deadlineMs ?? 30_000 })
    const found = new Set(hello.output.toString('utf8').split(' '))
    const tools = new Set(knownTools.filter((tool) => found.has(tool) && !options.without?.includes(tool)))
    if (!tools.has('mv')) {
      channel.close()
      throw new DevloopError('sync/no-tool', `There is a shell in ${name} but no mv, which live sync needs.`, {
        help: noToolHelp('mv'),
      })
    }
    return createSession(channel, { ...options, tools, key, session, read: pathReader(roots) })
  } catch (thrown) {
    stream.close()
    if (signal.aborted) throw abortError(signal)
    throw thrown
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

interface Context extends ShellSessionOptions {
  readonly tools: ReadonlySet<Tool>
  readonly key: string
  readonly session: string
  readonly read: (path: string) => SyncPath
}

function createSession(channel: FrameChannel, context: Context): SyncSession {
  const { exec, name, tools, key, session } = context
  const describe = (thrown: StepFailure, user: string): DevloopError =>
    syncFailure({ output: thrown.output, status: thrown.status, paths: thrown.paths, roots: context.roots, user, name })

  /** One line of code, however long, and what it takes from its input. */
  const exchange = async (code: Buffer, payload?: Buffer): Promise<FrameAnswer> => {
    if (code.length <= 2 * lineBytes || !tools.has('head')) return channel.exchange(payload ? { code, payload } : { code })
    // long code comes as a block, which the shell does not read byte by byte
    const block = Buffer.concat([code, Buffer.from(` #${key}`)])
    if (!payload) return channel.exchange({ code: Buffer.from(`block ${block.length} && eval "$a"`), payload: block })
    const answer = await channel.exchange({ code: Buffer.from(`block ${block.length}`), payload: block })
    return answer.status === 0 ? channel.exchange({ code: Buffer.from('eval "$a"'), payload }) : answer
  }

  const send = async (steps: readonly Step[]): Promise<string> => {
    const temporaries = [...new Set(steps.flatMap((step) => step.temporaries))]
    const words = steps.flatMap((step, index) => (index === 0 ? [step.code] : [Buffer.from(' && '), step.code]))
    const code = Buffer.concat([
      Buffer.from(temporaries.length > 0 ? `set -- ${temporaries.map(quote).join(' ')}; ` : ''),
      ...words,
    ])
    const { output, status } = await exchange(code, steps.at(-1)?.payload)
    if (status !== 0)
      throw new StepFailure(
        output.toString('utf8'),
        status,
        steps.flatMap((step) => step.paths),
      )
    return output.toString('utf8')
  }

  let userName: string | undefined
  const user = async (): Promise<string> => {
    if (userName !== undefined) return userName
    const { output } = await exchange(Buffer.from('{ id -u; id -un; } 2>/dev/null || :'))
    const [id, named] = output.toString('utf8').split('\n')
    userName = id ? `${id}${named && named !== id ? ` (${named})` : ''}` : 'unknown'
    return userName
  }

  const queue = createQueue()
  const sweeper = createSweeper(channel, context, queue)
  /** One at a time; an abort ends the wait at once, and the work at its next border between frames. */
  const serial = <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    sweeper.rest()
    return abortable(
      signal,
      queue.add(async () => {
        signal.throwIfAborted()
        try {
          return await work()
        } catch (thrown) {
          throw thrown instanceof StepFailure ? describe(thrown, await user()) : thrown
        } finally {
          sweeper.rest()
        }
      }),
    )
  }

  const inspect = async (paths: readonly string[], signal: AbortSignal): Promise<Map<string, Wanted>> => {
    const found = new Map<string, Wanted>()
    for (const part of parts(paths.map((path) => context.read(path)))) {
      signal.throwIfAborted()
      const question = inspectQuestion(part, tools)
      const { output, status } = await exchange(Buffer.from(question.code))
      if (status !== 0)
        throw new StepFailure(
          output.toString('utf8'),
          status,
          part.map((at) => at.path),
        )
      question.read(output, found)
    }
    return found
  }

  const list = ({ places, skip }: WatchOptions, signal: AbortSignal): Promise<Map<string, Entry | undefined>> =>
    serial(signal, async () => {
      const paths = await listPaths(exchange, places, skip)
      const held = await inspect(
        [...paths].flatMap(([path, readable]) => (readable ? [path] : [])),
        signal,
      )
      const found = new Map<string, Entry | undefined>()
      for (const path of paths.keys()) {
        const entry = held.get(path)
        if (entry?.kind !== 'absent') found.set(path, entry)
      }
      return found
    })

  const restart = createRestarter((code) => exchange(Buffer.from(code)), name)
  const sendSignal = createSignaller((code) => exchange(Buffer.from(code)), name)
  void channel.closed.then(() => sweeper.stop())

  return {
    description: describeTools(tools),
    inspect: (paths, signal) => serial(signal, () => inspect(paths, signal)),
    apply: (ops, signal) =>
      serial(signal, async () => {
        const kept = await keptPaths(ops, context.read, (paths) => inspect(paths, signal), exchange)
        const left = kept.size === 0 ? ops : ops.filter(({ path }) => !kept.has(path))
        const plan = planSwaps(left, context.read, session)
        for (const path of await swapEach(exchange, plan.deletes, tools)) kept.add(path)
        try {
          await applyOperations(plan.ops, { session, tools, read: plan.read, send }, signal)
        } catch (thrown) {
          await dropTemporaries(exchange, plan.writes)
          if (!(thrown instanceof StepFailure)) throw thrown
          throw new StepFailure(thrown.output, thrown.status, thrown.paths.map(plan.nameOf))
        }
        for (const path of await swapEach(exchange, plan.writes, tools)) kept.add(path)
        return kept
      }),
    ...(canRead(tools)
      ? {
          watch: (wanted: WatchOptions, signal: AbortSignal) => watchByPolling((within) => list(wanted, within), wanted, signal),
          read: (path: string, size: number, signal: AbortSignal) =>
            readPieces((code) => serial(signal, () => exchange(code)), tools, path, size, signal),
        }
      : {}),
    run: (command, onLine, signal, user) => runRemote(exec, { command, user, name }, onLine, signal),
    restart: (signal) => serial(signal, () => restart(signal)),
    signal: (wanted, signal) => serial(signal, () => sendSignal(wanted, signal)),
    ...sessionEnd(channel),
  }
}

function describeTools(tools: ReadonlySet<Tool>): string {
  const used = (['tar', 'head', 'sha256sum', 'stat'] as const).filter((tool) => tools.has(tool))
  const missing = [
    ...(tools.has('tar') && tools.has('head') ? [] : ['no tar: many files take longer']),
    ...(tools.has('sha256sum')
      ? []
      : ['no sha256sum: everything is written anew after a reconnect, large files from their beginning']),
  ]
  return `shell loop (${[...used, ...missing].join(', ')})`
}

function* parts(paths: readonly SyncPath[]): Generator<SyncPath[]> {
  let part: SyncPath[] = []
  let bytes = 0
  for (const at of paths) {
    if (part.length >= inspectBounds.paths || bytes + at.path.length > inspectBounds.bytes) {
      yield part
      part = []
      bytes = 0
    }
    part.push(at)
    bytes += at.path.length
  }
  if (part.length > 0) yield part
}

/**
 * Left-overs of sessions that were killed with their container's processes are garbage but harmless: they are looked for once, in
 * the background of the container, when the first work is done.
 */
function createSweeper(channel: FrameChannel, context: Context, queue: Queue): { rest(): void; stop(): void } {
  const { roots, tools, session } = context
  let timer: NodeJS.Timeout | undefined
  let done = !tools.has('find') || !tools.has('rm')
  /** @param kept beginnings of names */
  const sweep = (...kept: readonly string[]): void => {
    const others = kept.map((one) => `! -name ${quote(`${one}*`)}`).join(' ')
    const names = `-name ${quote(`${temporaryPrefix}*`)} ${others} -prune -exec rm -rf {} +`
    const nice = tools.has('nice') ? 'nice ' : ''
    // a root may be a single file, whose temporaries stand beside it
    const one = (root: string): string => {
      const beside = quote(root.slice(0, Math.max(1, root.lastIndexOf('/'))))
      return `if [ -d ${quote(root)} ]; then ${nice}find ${quote(root)} -xdev ${names}; else ${nice}find ${beside} -xdev -maxdepth 1 ${names}; fi`
    }
    const code = `{ ${roots.map(one).join('; ')}; } </dev/null >/dev/null 2>&1 &`
    queue.add(() => channel.exchange({ code: Buffer.from(code) })).catch(() => {})
  }
  const own = `${temporaryPrefix}${session}`
  const rest = (): void => {
    if (done) return
    timer ??= setTimeout(() => {
      done = true
      sweep(own, partPrefix)
    }, context.sweepAfterMs ?? 1_000)
    timer.refresh()
    timer.unref()
  }
  // parts of large files are left for a while to whoever goes on with them
  const parts = done ? undefined : setTimeout(() => sweep(own), context.partsAfterMs ?? 120_000).unref()
  rest()
  return {
    rest,
    stop() {
      done = true
      clearTimeout(timer)
      clearTimeout(parts)
    },
  }
}
