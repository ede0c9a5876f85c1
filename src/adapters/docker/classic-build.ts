// Builds by the engine's classic builder, where it has no BuildKit: the whole context goes over as a tar.
import { parseDockerfile } from '../../model/dockerfile.js'
import { authHeader, registryHost, type RegistryAuth } from './auth.js'
import { buildError } from './build-errors.js'
import type { EngineBuild } from './build-job.js'
import { createClassicSteps } from './classic-steps.js'
import { packContext } from './context-tar.js'
import { abortReason, EngineAnswerError } from './engine.js'
import { errorOf, followRequest } from './engine-stream.js'

/** Build and give the image's id. @throws DevloopError build/*, engine/*, registry/*; AbortError */
export const buildWithClassic: EngineBuild = async (engine, job, progress, signal) => {
  const tar = packContext(job.context, job.dockerfile, job.dockerfileInContext, signal, ({ files, bytes }) =>
    progress.sent({ files: job.fileCount, sentFiles: files, sentBytes: bytes }),
  )
  // that the engine no longer takes the tar is told, with its reason, by its answer
  const broken = new Promise<never>((_, reject) =>
    tar.stream.once('error', (error: NodeJS.ErrnoException) => error.code !== 'PREMATURE_CLOSE' && reject(error)),
  )
  broken.catch(() => undefined)
  const steps = createClassicSteps(progress, job.mask)
  let imageId: string | undefined
  let refusal: string | undefined
  try {
    await Promise.race([
      broken,
      followRequest(
        engine,
        {
          method: 'POST',
          path: '/build',
          query: { ...job.query, dockerfile: tar.dockerfile, rm: '1', forcerm: '1' },
          headers: { 'X-Registry-Config': await registryConfig(job.dockerfile, job.credentials) },
          body: tar.stream,
          signal,
        },
        (line) => {
          refusal ??= errorOf(line)
          if (typeof line.stream === 'string') steps.push(line.stream)
          else if (typeof line.aux === 'object' && line.aux !== null) imageId = (line.aux as { ID?: string }).ID ?? imageId
        },
      ),
    ])
  } catch (error) {
    if (signal.aborted) throw abortReason(signal)
    if (!(error instanceof EngineAnswerError)) throw error
    refusal = error.message
  } finally {
    tar.stream.destroy()
  }
  steps.end(refusal)
  if (refusal === undefined && imageId !== undefined) return imageId
  throw buildError({
    image: job.image,
    dockerfile: job.dockerfile,
    text: refusal ?? 'The engine gave no image.',
    step: steps.failed(),
  })
}

type EngineCredentials = (host: string) => Promise<RegistryAuth | undefined>

// the classic builder wants all credentials beforehand: those of the registries that the Dockerfile names
async function registryConfig(dockerfile: string, credentials: EngineCredentials): Promise<string> {
  const hosts = new Set<string>()
  for (const { keyword, rest } of parseDockerfile(dockerfile)) {
    const reference = keyword === 'FROM' ? rest.replace(/^(--\S+\s+)+/, '').split(/\s+/)[0] : /--from=(\S+)/.exec(rest)?.[1]
    if (reference && !reference.includes('$')) hosts.add(registryHost(reference))
  }
  const known: Record<string, RegistryAuth> = {}
  for (const host of hosts) {
    const auth = await credentials(host)
    if (auth) known[host === 'docker.io' ? 'https://index.docker.io/v1/' : host] = auth
  }
  return authHeader(known)
}
