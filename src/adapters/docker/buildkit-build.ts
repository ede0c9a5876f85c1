// Builds by the BuildKit inside of the engine, with a session on which it fetches the context.
import { createHash, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { DevloopError, isAbort } from '../../errors/devloop-error.js'
import type { SyncedFiles } from './file-sync.js'
import { createBuildkitSteps } from './buildkit-steps.js'
import { buildError } from './build-errors.js'
import type { EngineBuild } from './build-job.js'
import { textFile } from './context-files.js'
import { abortReason, EngineAnswerError } from './engine.js'
import { errorOf, followRequest } from './engine-stream.js'
import { openSession } from './session.js'
import { decodeTrace } from './trace.js'

const dockerfileName = 'Dockerfile'

/** Build and give the image's id. @throws DevloopError build/*, engine/*, registry/*; AbortError */
export const buildWithBuildkit: EngineBuild = async (engine, job, progress, signal) => {
  // ends the build when the context cannot be read: the engine would only say that the transfer broke
  const unreadable = new AbortController()
  const either = AbortSignal.any([signal, unreadable.signal])
  const contextStarted = Date.now()
  const session = await openSession(
    engine,
    {
      sharedKey: sharedKeyOf(job.image.context, job.image.name),
      context: job.context,
      dockerfile: [textFile(dockerfileName, job.dockerfile)],
      credentials: job.credentials,
      secrets: job.secrets,
      agents: job.agents,
      onContext: ({ files, bytes }) => progress.sent({ files: job.fileCount, sentFiles: files, sentBytes: bytes }),
      onContextSent: (sent) => {
        progress.sent({ files: job.fileCount, sentFiles: sent.files, sentBytes: sent.bytes })
        progress.step({
          id: 'context',
          name: describeSent(sent, job.fileCount),
          state: 'done',
          startedAt: contextStarted,
          finishedAt: Date.now(),
        })
      },
      onFailure: (error) => unreadable.abort(error),
    },
    signal,
  ).catch((error: unknown) => {
    throw engine.refused(error, 'open a build session')
  })
  const steps = createBuildkitSteps(progress, job.mask)
  let imageId: string | undefined
  let refusal: string | undefined
  const buildId = randomUUID()
  try {
    await followRequest(
      engine,
      {
        method: 'POST',
        path: '/build',
        query: {
          ...job.query,
          version: '2',
          session: session.id,
          buildid: buildId,
          remote: 'client-session',
          dockerfile: dockerfileName,
        },
        signal: either,
      },
      (line) => {
        refusal ??= errorOf(line)
        if (line.id === 'moby.buildkit.trace' && typeof line.aux === 'string')
          steps.push(decodeTrace(Buffer.from(line.aux, 'base64')))
        else if (line.id === 'moby.image.id') imageId = (line.aux as { ID?: string } | undefined)?.ID ?? imageId
      },
    )
    steps.end()
  } catch (error) {
    if (signal.aborted) throw abortReason(signal)
    if (unreadable.signal.aborted && isAbort(error)) throw unreadable.signal.reason
    if (!(error instanceof EngineAnswerError)) throw error
    refusal = error.message
  } finally {
    session.close()
  }
  if (refusal === undefined && imageId !== undefined) return imageId
  if (unreadable.signal.aborted) throw unreadable.signal.reason
  signal.throwIfAborted()
  if (session.lost()) {
    throw new DevloopError(
      'engine/unreachable',
      `The connection to the Docker engine at ${engine.endpoint.address} broke off during the build.`,
      {
        why: refusal,
        help: 'Check that the engine runs, and that what is between (a proxy, a tunnel) lets upgraded connections (h2c) through.',
      },
    )
  }
  throw buildError({
    image: job.image,
    dockerfile: job.dockerfile,
    text: refusal ?? 'The engine gave no image.',
    step: steps.failed(),
  })
}

// one copy of the context in the engine for each image of each working copy
const sharedKeyOf = (context: string, image: string): string =>
  createHash('sha256').update(`devloop\0${hostname()}\0${context}\0${image}`).digest('hex').slice(0, 32)

const describeSent = (sent: SyncedFiles, all: number): string =>
  `[context] sent ${sent.files} of ${all} files (${sent.bytes} bytes)`
