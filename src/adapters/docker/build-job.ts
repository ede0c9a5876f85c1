// What one build is made of, the same for both builders.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'
import type { BuildProgress, BuildRequest } from '../../ports/image-builder.js'
import type { ImageSpec } from '../../model/plan.js'
import type { RegistryAuth } from './auth.js'
import { listContext, type ContextEntry } from './context-files.js'
import type { Engine } from './engine.js'
import { imageLabel, instanceLabel } from './image-labels.js'

export interface BuildJob {
  readonly image: ImageSpec
  readonly context: readonly ContextEntry[]
  /** Files and links of the context, without folders. */
  readonly fileCount: number
  /** Text of the Dockerfile. */
  readonly dockerfile: string
  /** The Dockerfile's path in the context, when it is one of the context's files. */
  readonly dockerfileInContext: string | undefined
  /** What both builders take as parameters. */
  readonly query: Readonly<Record<string, unknown>>
  /** Credentials for a registry host, to get base images. */
  readonly credentials: (host: string) => Promise<RegistryAuth | undefined>
}

/** A builder: gives the id of the image, `sha256:...`. */
export type EngineBuild = (engine: Engine, job: BuildJob, progress: BuildProgress, signal: AbortSignal) => Promise<string>

export interface JobOptions {
  readonly credentials: (host: string) => Promise<RegistryAuth | undefined>
  /** Build arguments for proxies, from the user's Docker configuration. */
  readonly proxyArgs: Readonly<Record<string, string>>
  /** `os/arch` that the engine builds for by itself. */
  readonly enginePlatform: string
}

/** Gather what a build needs. @throws DevloopError build/dockerfile, build/context */
export async function prepareJob(request: BuildRequest, options: JobOptions, signal: AbortSignal): Promise<BuildJob> {
  const { image, tree, platform } = request
  const [dockerfile, context] = await Promise.all([readDockerfile(image), listContext(image.context, tree, signal)])
  return {
    image,
    context,
    fileCount: tree.size,
    dockerfile,
    dockerfileInContext: pathInContext(request),
    query: {
      buildargs: { ...options.proxyArgs, ...image.args },
      labels: {
        [imageLabel]: image.name,
        'app.kubernetes.io/managed-by': 'devloop',
        // also keeps apart what two working copies build from the same sources, so that either can be removed alone
        ...(request.instance === undefined ? {} : { [instanceLabel]: request.instance }),
      },
      target: image.target,
      // naming the engine's own makes some engines look for the base image in its registry although they have it
      platform: platform === options.enginePlatform ? undefined : platform,
    },
    credentials: options.credentials,
  }
}

async function readDockerfile(image: ImageSpec): Promise<string> {
  if ('inline' in image.dockerfile) return image.dockerfile.inline
  const file = image.dockerfile.path
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new DevloopError(
      'build/dockerfile',
      `The Dockerfile ${file} of image ${image.name} ${missing ? 'does not exist' : 'cannot be read'}.`,
      {
        why: missing ? undefined : (error as Error).message,
        where: image.at,
        cause: error,
      },
    )
  }
  if (text.trim() !== '') return text
  throw new DevloopError('build/dockerfile', `The Dockerfile ${file} of image ${image.name} is empty.`, {
    where: { file, line: 1 },
    help: 'Begin it with FROM.',
  })
}

function pathInContext({ image, tree }: BuildRequest): string | undefined {
  if ('inline' in image.dockerfile) return undefined
  const relative = path.relative(image.context, image.dockerfile.path).split(path.sep).join('/')
  return tree.get(relative)?.kind === 'file' ? relative : undefined
}
