// Watching and reading the container's files by the agent.
import { DevloopError } from '../../../../errors/devloop-error.js'
import type { Entry } from '../../../../model/tree.js'
import type { SyncWatch, WatchOptions } from '../../../../ports/sync-transport.js'
import { abortError } from '../remote-command.js'
import { readEntries } from './agent-facts.js'
import { AgentFailure, readFailure, type AgentChannel } from './agent-channel.js'
import { kinds, longField, numberField, type FieldReader } from './frames.js'

export interface AgentWatchContext {
  readonly channel: AgentChannel
  /** For messages, such as `container web of pod shop/web-1`. */
  readonly name: string
  /** The fields that name a path. */
  readonly place: (path: string) => readonly Buffer[]
  readonly pathOf: (fields: FieldReader) => string
}

/**
 * Resolves when all is listed.
 * @throws DevloopError sync/disconnected; AgentFailure where the system refuses watches
 */
export function watchByAgent(
  { channel, name, place, pathOf }: AgentWatchContext,
  { places, skip, onList, onChange }: WatchOptions,
  signal: AbortSignal,
): Promise<SyncWatch> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(abortError(signal))
      return
    }
    let list = new Map<string, Entry | undefined>()
    let stopped = false
    let settleEnded: (error: DevloopError | undefined) => void = () => {}
    const ended = new Promise<DevloopError | undefined>((settle) => (settleEnded = settle))
    const end = (error: DevloopError | undefined): void => {
      signal.removeEventListener('abort', stop)
      settleEnded(stopped ? undefined : error)
      reject(stopped ? abortError(signal) : (error ?? abortError(signal)))
    }
    const stop = (): void => {
      stopped = true
      begun.cancel()
      end(undefined)
    }
    const body = [numberField(places.length), ...places.flatMap(place), ...skip.flatMap(place)]
    const begun = channel.begin(kinds.watch, body, {
      onFrame({ kind, body: told }) {
        if (stopped) return
        if (kind === kinds.done) end(undefined)
        else if (kind === kinds.failed) {
          const failure = readFailure(told)
          const why = `${failure.code}: ${failure.message}`
          reject(failure)
          end(new DevloopError('sync/failed', `Folders of ${name} cannot be watched any more.`, { why, cause: failure }))
        } else if (kind === kinds.again) list = new Map()
        else if (kind === kinds.listed) {
          for (const [path, held] of readEntries(told, pathOf)) if (held?.kind !== 'absent') list.set(path, held)
        } else if (kind === kinds.changed) onChange(readEntries(told, pathOf))
        else if (kind === kinds.watching) {
          onList(list)
          list = new Map()
          resolve({ how: 'watched', ended, stop })
        }
      },
      onLost: (error) => end(error),
    })
    signal.addEventListener('abort', stop, { once: true })
  })
}

/** Bytes of one piece, and how many pieces are asked for ahead. */
const pieceBytes = 256 * 1024
const ahead = 4

/** @throws DevloopError sync/failed, sync/disconnected */
export async function* readByAgent(
  channel: AgentChannel,
  place: readonly Buffer[],
  { path, size, name }: { readonly path: string; readonly size: number; readonly name: string },
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const ask = async (from: number): Promise<Buffer> => {
    let content = Buffer.alloc(0)
    await channel.request(kinds.read, [...place, longField(from), numberField(pieceBytes)], (bytes) => {
      content = Buffer.from(bytes)
    })
    return content
  }
  const asked: Promise<Buffer>[] = []
  let next = 0
  try {
    while (next < size || asked.length > 0) {
      for (; asked.length < ahead && next < size; next += pieceBytes) {
        const piece = ask(next)
        // it is waited for in its turn
        piece.catch(() => {})
        asked.push(piece)
      }
      signal.throwIfAborted()
      const content = await asked.shift()
      if (content && content.length > 0) yield content
      if (!content || content.length < pieceBytes) return
    }
  } catch (thrown) {
    if (!(thrown instanceof AgentFailure)) throw thrown
    throw new DevloopError('sync/failed', `${path} in ${name} cannot be read: ${thrown.message}.`, {
      why: thrown.code,
      cause: thrown,
    })
  }
}
