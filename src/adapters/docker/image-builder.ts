// The image builder over a Docker engine: build, name by content, push, and find out what the image runs.
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { DevloopError, isDevloopError } from '../../errors/devloop-error.js'
import type { BuildRecord, ImageConfig } from '../../model/build-record.js'
import { namesIn, type TaggedName } from '../../model/image-names.js'
import type { CustomBuild } from '../../model/plan.js'
import type { ProcessRunner } from '../../ports/process-runner.js'
import type { BuildProgress, BuildRequest, BuiltImage, EngineBuilder, EngineWish, Registry } from '../../ports/image-builder.js'
import { findCredentials, loginForNodes, registryHost, type FindLogin, type RegistryAuth } from './auth.js'
import { prepareJob } from './build-job.js'
import { buildWithBuildkit } from './buildkit-build.js'
import { buildWithClassic } from './classic-build.js'
import { buildWithCommand, forgetWanted } from './custom-build.js'
import { readDockerConfig, type Environment } from './docker-config.js'
import { abortReason, createEngineConnector, type Engine } from './engine.js'
import { namedAs, type Names } from './image-naming.js'
import { createImagePruner } from './image-pruner.js'
import { idInEngine, provideByEngine } from './provide-image.js'
import { provideByHttp } from './provide-by-http.js'
import { findInRegistry, pushImage, tagImage } from './registry.js'
import { isLoopback } from './registry-http.js'
import { checkPush, questionKey } from './registry-preflight.js'
import { hasShell, sweepProbes } from './shell-probe.js'

export interface DockerBuilderOptions {
  /** Where DOCKER_HOST, DOCKER_CONFIG and their like are read; default process.env. */
  readonly env?: Environment
  /** Runs the commands of images that are built by one; absent = there are none. */
  readonly processes?: ProcessRunner
  /** Default: as the docker command finds it. */
  readonly engine?: EngineWish
}

/** How much is written to a registry to see whether it has space. */
const probeBytes = 8 * 1024 * 1024
/** How many images' configurations are kept in mind. */
const knownLimit = 200

/** A builder that uses the Docker engine of the user's environment. Nothing is connected or loaded before it is needed. */
export function createDockerBuilder(options: DockerBuilderOptions = {}): EngineBuilder {
  const env = options.env ?? process.env
  const connect = createEngineConnector(env, options.engine)
  const configs = new Map<string, ImageConfig>()
  /** Questions whether one may push, that were answered well. */
  const pushable = new Set<string>()
  let swept: Engine | undefined

  /** What this machine knows counts before what the cluster gives. */
  const findLogin: FindLogin = async (host, signal, repository) => {
    const own = await findCredentials(host, env, signal, repository)
    const given = own ? undefined : await options.engine?.login?.(host)
    return own ?? (given && { username: given.username, password: given.password, serveraddress: host })
  }

  const credentialsFor = (signal: AbortSignal): FindCredentials => {
    const found = new Map<string, Promise<RegistryAuth | undefined>>()
    return (host, repository) => {
      const key = repository ?? host
      const known = found.get(key) ?? findLogin(host, signal, repository)
      found.set(key, known)
      return known
    }
  }

  /** What stands against pushing there, as far as that can be asked from here. @param bytes as in checkPush */
  const askPush = async (engine: Engine, repository: string, of: Asking, bytes: number): Promise<DevloopError | undefined> => {
    const host = registryHost(repository)
    // what an engine elsewhere calls localhost is another machine
    if (engine.endpoint.socketPath === undefined && isLoopback(host)) return undefined
    const question = { repository, auth: await of.find(host, repository), env, help: of.registry.help }
    const key = questionKey(question)
    if (bytes === 0 && pushable.has(key)) return undefined
    const error = await checkPush(question, of.signal, bytes)
    if (error) pushable.delete(key)
    else pushable.add(key)
    return error
  }

  const describe = async (engine: Engine, imageId: string, signal: AbortSignal): Promise<ImageConfig> => {
    const known = configs.get(imageId)
    if (known) return known
    const [config, shell] = await Promise.all([readConfig(engine, imageId, signal), hasShell(engine, imageId, signal)])
    const whole = { ...config, shell }
    configs.set(imageId, whole)
    if (configs.size > knownLimit) configs.delete(configs.keys().next().value as string)
    return whole
  }

  const byEngine = async (
    request: BuildRequest,
    engine: Engine,
    credentials: FindCredentials,
    progress: BuildProgress,
    signal: AbortSignal,
  ): Promise<string> => {
    const { proxyArgs } = await readDockerConfig(env)
    const { platform: enginePlatform, buildkit } = engine.info
    const job = await prepareJob(request, { credentials, proxyArgs, enginePlatform, buildkit, env }, signal)
    const from = Date.now()
    return (buildkit ? buildWithBuildkit : buildWithClassic)(engine, job, progress, signal).finally(() =>
      progress.ran?.({ engine: engine.endpoint.address, from, to: Date.now() }),
    )
  }

  const byCommand = (
    request: BuildRequest,
    custom: CustomBuild,
    has: { engine: Engine; credentials: FindCredentials; nameOf: (tag: string) => TaggedName },
    progress: BuildProgress,
    signal: AbortSignal,
  ): Promise<string> => {
    const { processes } = options
    if (!processes) throw new Error('a builder without a process runner was given an image that a command builds')
    return buildWithCommand(request, custom, { ...has, processes, env }, progress, signal)
  }

  const build = async (request: BuildRequest, progress: BuildProgress, signal: AbortSignal): Promise<BuiltImage> => {
    const { image, registry } = request
    progress.stage('context')
    const engine = await connect(signal)
    if (swept !== engine) {
      swept = engine
      void sweepProbes(engine, signal)
    }
    const credentials = credentialsFor(signal)
    const nameOf = (tag: string): TaggedName => namedAs(image.name, tag, registry).named
    const ahead = new AbortController()
    const asking = registry && { registry, find: credentials, signal }
    if (asking) {
      const { repository } = namesIn(asking.registry, image.name, '').push
      void askPush(engine, repository, asking, 0).then(
        (error) => error && ahead.abort(error),
        (error: unknown) => ahead.abort(error),
      )
    }
    const until = AbortSignal.any([signal, ahead.signal])
    const imageId = await (
      image.build
        ? byCommand(request, image.build, { engine, credentials, nameOf }, progress, until)
        : byEngine(request, engine, credentials, progress, until)
    ).catch((error: unknown) => {
      throw !signal.aborted && isDevloopError(ahead.signal.reason) ? ahead.signal.reason : error
    })
    const { named, pulled } = namesOf(image.name, imageId, registry)
    await progress.made?.({ ...named, id: imageId, pushed: registry !== undefined, engine: engine.endpoint.address })
    // the probe runs beside the push; when one fails, the other is waited for, so that nothing is left behind
    const other = new AbortController()
    const either = AbortSignal.any([signal, other.signal])
    const publish = async (): Promise<string> => {
      const auth = registry && credentials(registryHost(named.repository), named.repository)
      // whatever goes wrong with it is told when it is needed
      auth?.catch(() => undefined)
      await tagImage(engine, imageId, named, either)
      const others = (image.options?.tags ?? []).map(nameOf)
      for (const other of others) await tagImage(engine, imageId, other, either)
      if (image.build) await forgetWanted(request, image.build, engine, nameOf)
      if (!registry || !asking) return imageId
      progress.stage('push')
      const diagnose = async () => askPush(engine, named.repository, asking, probeBytes)
      const push = async (one: TaggedName) => pushImage(engine, one, registry, await auth, progress, diagnose, either)
      const digest = await push(named)
      for (const other of others) await push(other)
      return digest ?? imageId
    }
    const both = [publish(), describe(engine, imageId, either)] as const
    for (const one of both) one.catch(() => other.abort())
    const [published, described] = await Promise.allSettled(both)
    if (signal.aborted) throw abortReason(signal)
    if (published.status === 'rejected' || described.status === 'rejected') throw firstReason(published, described)
    const [ref, engineRef] = [pulled, named].map(({ repository, tag }) => `${repository}:${tag}`) as [string, string]
    return { digest: published.value, ref, ...(engineRef === ref ? {} : { engineRef }), config: described.value }
  }

  const exists = async (record: BuildRecord, registry: Registry | undefined, signal: AbortSignal): Promise<boolean> => {
    const named = splitReference(record.ref)
    // a record of another registry, or of none, names nothing that can be pulled from this one
    if (!named || (registry && !named.repository.startsWith(`${registry.pull}/`))) return false
    const engine = await connect(signal)
    if (!registry) return (await idInEngine(engine, record.ref, signal)) !== undefined
    const pushed = { repository: registry.push + named.repository.slice(registry.pull.length), tag: named.tag }
    const auth = await findLogin(registryHost(pushed.repository), signal, pushed.repository)
    return (await findInRegistry(engine, pushed, registry, { auth, env }, signal)) !== undefined
  }

  return {
    pruner: createImagePruner({ connect, env, findLogin }),
    build,
    exists,
    async provide(image, registry, told, signal) {
      const credentials = credentialsFor(signal)
      const { repository } = namedAs(image.name, image.tag, registry).named
      const auth = registry && (await credentials(registryHost(repository), repository))
      let engine: Engine
      try {
        engine = await connect(signal)
      } catch (error) {
        // an engine that is off is not in the way of what needs none
        if (registry && isDevloopError(error) && error.code.startsWith('engine/'))
          return provideByHttp(image, { registry, auth, env }, told, signal)
        throw error
      }
      const diagnose = async () => registry && askPush(engine, repository, { registry, find: credentials, signal }, probeBytes)
      return provideByEngine(engine, image, { registry, auth, env, diagnose }, told, signal)
    },
    async identity(signal) {
      const engine = await connect(signal)
      const { Name, OperatingSystem } = await engine.json<{ Name?: string; OperatingSystem?: string }>({
        method: 'GET',
        path: '/info',
        signal,
      })
      return { name: Name ?? '', system: OperatingSystem ?? '' }
    },
    async save(reference, file, signal) {
      const engine = await connect(signal)
      try {
        const tar = await engine.stream({ method: 'GET', path: '/images/get', query: { names: reference }, signal })
        await pipeline(tar, createWriteStream(file, { mode: 0o600 }), { signal })
      } catch (error) {
        throw engine.refused(error, `save the image ${reference}`)
      }
    },
    async pullLogin(repository, signal) {
      const host = registryHost(repository)
      return loginForNodes(host, await findLogin(host, signal, repository))
    },
  }
}

/** Content names the tag, so that the same image is never pushed twice and a new one never takes an old one's place. */
const namesOf = (name: string, imageId: string, registry: Registry | undefined): Names =>
  namedAs(name, `devloop-${imageId.replace(/^sha256:/, '').slice(0, 16)}`, registry)

const splitReference = (reference: string): TaggedName | undefined => {
  const [, repository, tag] = /^(.+):([^:/]+)$/.exec(reference) ?? []
  return repository && tag ? { repository, tag } : undefined
}

// the error that came by itself, not the one that calling the other off led to
const firstReason = (...results: readonly PromiseSettledResult<unknown>[]): unknown => {
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  return reasons.find((reason) => reason instanceof DevloopError) ?? reasons[0]
}

/** Credentials for a registry host, or for one repository of it. */
type FindCredentials = (host: string, repository?: string) => Promise<RegistryAuth | undefined>

/** What is needed to ask a registry whether one may push. */
interface Asking {
  readonly registry: Registry
  readonly find: FindCredentials
  readonly signal: AbortSignal
}

interface ImageInspect {
  readonly Os?: string
  readonly Architecture?: string
  readonly Config?: {
    readonly Entrypoint?: readonly string[] | null
    readonly Cmd?: readonly string[] | null
    readonly WorkingDir?: string
    readonly User?: string
  } | null
}

async function readConfig(engine: Engine, imageId: string, signal: AbortSignal): Promise<Omit<ImageConfig, 'shell'>> {
  try {
    const found = await engine.json<ImageInspect>({ method: 'GET', path: `/images/${imageId}/json`, signal })
    const { Config: config, Os: os, Architecture: architecture } = found
    return {
      ...(os && architecture ? { platform: `${os}/${architecture}` } : {}),
      entrypoint: config?.Entrypoint ?? [],
      cmd: config?.Cmd ?? [],
      workingDir: config?.WorkingDir || '/',
      user: config?.User ?? '',
    }
  } catch (error) {
    throw engine.refused(error, 'describe the image that it built')
  }
}
