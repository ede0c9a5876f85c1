// What one build is made of, the same for both builders.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'
import type { BuildProgress, BuildRequest } from '../../ports/image-builder.js'
import { withReferences } from '../../model/dockerfile-bases.js'
import type { ImageSpec } from '../../model/plan.js'
import type { RegistryAuth } from './auth.js'
import { readSecrets } from './build-secrets.js'
import { listContext, type ContextEntry } from './context-files.js'
import type { Environment } from './docker-config.js'
import type { Engine } from './engine.js'
import { imageLabel, instanceLabel } from '../../model/image-labels.js'
import { createMask } from './mask.js'
import { findAgents } from './ssh-forward.js'

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
  /** Bytes of secrets by id. */
  readonly secrets: ReadonlyMap<string, Buffer>
  /** Sockets of ssh agents by id. */
  readonly agents: ReadonlyMap<string, string>
  /** Hides the secrets in what the build prints. */
  readonly mask: (text: string) => string
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
  readonly buildkit: boolean
  /** Where secrets and the ssh agent are found. */
  readonly env: Environment
}

/** Gather what a build needs. @throws DevloopError build/dockerfile, build/context, build/secret, build/ssh, build/buildkit */
export async function prepareJob(request: BuildRequest, options: JobOptions, signal: AbortSignal): Promise<BuildJob> {
  const { image, tree } = request
  const wishes = image.options ?? {}
  if (!options.buildkit) refuseWithoutBuildkit(image)
  const platform = wishes.platform ?? request.platform
  const bases = request.bases ?? {}
  const [text, context, secrets, agents] = await Promise.all([
    readDockerfile(image),
    listRequested(request, signal),
    readSecrets(image, options.env),
    findAgents(image, options.env),
  ])
  const dockerfile = withReferences(text, image.args, bases)
  return {
    image,
    context,
    fileCount: tree.size,
    dockerfile,
    // the context's own file does not name what was built
    dockerfileInContext: dockerfile === text ? pathInContext(request) : undefined,
    query: {
      buildargs: { ...options.proxyArgs, ...image.args, ...baseArguments(image, bases) },
      labels: {
        ...wishes.labels,
        [imageLabel]: image.name,
        'app.kubernetes.io/managed-by': 'devloop',
        // also keeps apart what two working copies build from the same sources, so that either can be removed alone
        ...(request.instance === undefined ? {} : { [instanceLabel]: request.instance }),
      },
      target: image.target,
      networkmode: wishes.network,
      extrahosts: Object.entries(wishes.extraHosts ?? {}).map(([host, address]) => `${host}:${address}`),
      cachefrom: wishes.cacheFrom && JSON.stringify(wishes.cacheFrom),
      // what only the engine has cannot be asked for elsewhere
      pull: wishes.pull && (request.registry || Object.keys(bases).length === 0) ? '1' : undefined,
      // naming the engine's own makes some engines look for the base image in its registry although they have it
      platform: platform === options.enginePlatform ? undefined : platform,
    },
    secrets,
    agents,
    mask: createMask(secrets.values()),
    credentials: options.credentials,
  }
}

async function listRequested({ image, tree, emptyFolders }: BuildRequest, signal: AbortSignal): Promise<ContextEntry[]> {
  return listContext(image.context, tree, (await emptyFolders?.(signal)) ?? [], signal)
}

/** Arguments whose values are images of the plan. */
export const baseArguments = (image: ImageSpec, bases: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(image.baseArgs ?? {}).flatMap(([key, base]) => {
      const reference = bases[base]
      return reference === undefined ? [] : [[key, reference]]
    }),
  )

// told before anything is built: the engine would only stumble over the Dockerfile
function refuseWithoutBuildkit(image: ImageSpec): void {
  const wish = image.options?.secrets ? 'secrets' : image.options?.ssh ? 'ssh' : undefined
  if (wish === undefined) return
  throw new DevloopError('build/buildkit', `Image ${image.name} has \`${wish}\`, which needs BuildKit.`, {
    why: 'The engine builds with its classic builder, which can mount neither secrets nor ssh agents.',
    where: image.at,
    help: 'Use an engine with BuildKit, and leave DOCKER_BUILDKIT unset or set it to 1.',
  })
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
