// The sync transport of the process runtime: sessions on the stage folders of running pods.
import { realpath } from 'node:fs/promises'
import { DevloopError, isAbort, isDevloopError } from '../../errors/devloop-error.js'
import type { DevloopClosed, SyncSession, SyncTransport, TargetRef } from '../../ports/sync-transport.js'
import type { AppPod } from './app-pod.js'
import { createTurns } from './in-turn.js'
import { createStageFiles } from './stage-files.js'
import type { StageStore } from './stage-store.js'

/** @param podOf the pod that a target names, while there is one */
export function createStageSync(
  podOf: (target: TargetRef) => AppPod | undefined,
  stages: Pick<StageStore, 'inTurn' | 'scratch'>,
): SyncTransport {
  return {
    async open(target, roots, signal) {
      signal.throwIfAborted()
      const pod = podOf(target)
      const stage = pod?.options.stage
      if (!pod || stage === undefined) throw disconnected(target.pod)
      const root = await realpath(stage).catch((thrown: unknown) => {
        throw disconnected(target.pod, thrown)
      })
      return openSession(pod, root, stages.scratch(root), roots, (job) => stages.inTurn(stage, job))
    },
  }
}

function openSession(
  pod: AppPod,
  root: string,
  scratch: string,
  roots: readonly string[],
  inTurn: ReturnType<typeof createTurns>,
): SyncSession {
  const files = createStageFiles(root, scratch, roots)
  const shut = new AbortController()
  const closed = new Promise<DevloopClosed>((resolve) => {
    const lost = (): void => {
      resolve({ reason: 'lost', message: `${pod.name} is gone` })
      shut.abort()
    }
    pod.gone.addEventListener('abort', lost)
    shut.signal.addEventListener('abort', () => {
      pod.gone.removeEventListener('abort', lost)
      resolve({ reason: 'asked', message: 'closed' })
    })
    if (pod.gone.aborted) lost()
  })

  const oneByOne = createTurns()
  void files.sweep(shut.signal)
  const cleaned = closed.then(() => oneByOne(() => files.close()))

  /** Looks at and changes files, one call after the other. It ends with the session. */
  const serial = <T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    oneByOne(async () => {
      check(signal)
      const either = new AbortController()
      const stop = (): void => either.abort(signal.aborted ? signal.reason : undefined)
      signal.addEventListener('abort', stop)
      shut.signal.addEventListener('abort', stop)
      try {
        return await work(either.signal)
      } catch (thrown) {
        if (either.signal.aborted) check(signal)
        throw thrown
      } finally {
        signal.removeEventListener('abort', stop)
        shut.signal.removeEventListener('abort', stop)
      }
    })

  const check = (signal: AbortSignal): void => {
    signal.throwIfAborted()
    if (shut.signal.aborted) throw disconnected(pod.name)
  }

  return {
    description: 'folder on this machine',
    inspect: (paths, signal) => serial(signal, (both) => files.inspect(paths, both)),
    apply: (ops, signal) => serial(signal, (both) => files.apply(ops, both)),
    watch: (options, signal) => files.watch(options, AbortSignal.any([signal, shut.signal])),
    read: (path, _size, signal) => files.read(path, AbortSignal.any([signal, shut.signal])),
    async run(command, onLine, signal) {
      check(signal)
      try {
        return await inTurn(() => pod.run(command, onLine, AbortSignal.any([signal, shut.signal])))
      } catch (thrown) {
        if (isAbort(thrown) && !signal.aborted) throw disconnected(pod.name)
        if (!isDevloopError(thrown)) throw thrown
        // as a shell would tell it
        onLine(thrown.message)
        return { exitCode: 127 }
      }
    },
    async restart(signal) {
      check(signal)
      try {
        await orAbort(pod.process.restart(), signal)
      } catch (thrown) {
        if (!isDevloopError(thrown)) throw thrown
        throw new DevloopError('restart/failed', thrown.message, { why: thrown.info.why, help: thrown.info.help, cause: thrown })
      }
    },
    async signal(name, signal) {
      check(signal)
      await pod.process.signal(name)
    },
    closed,
    async close() {
      shut.abort()
      await cleaned
    },
  }
}

/** Waits for work that goes on when the wait is called off. */
async function orAbort(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop: () => void = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error)
    signal.addEventListener('abort', stop)
  })
  try {
    await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
    // nobody listens any more when the wait was called off; what became of it is in the pod's state
    work.catch(() => {})
  }
}

const disconnected = (pod: string, cause?: unknown): DevloopError =>
  new DevloopError('sync/disconnected', `${pod} does not run any more.`, { cause })
