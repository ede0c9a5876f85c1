// Builds by a command of the user's own, and finds the image that it made: in the engine, in the registry, or by the name it tells.
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'
import type { TaggedName } from '../../model/image-names.js'
import type { CustomBuild, ImageSpec } from '../../model/plan.js'
import type { BuildProgress, BuildRequest } from '../../ports/image-builder.js'
import type { ProcessRunner } from '../../ports/process-runner.js'
import { registryHost, type RegistryAuth } from './auth.js'
import { baseArguments } from './build-job.js'
import type { Environment } from './docker-config.js'
import { abortReason, EngineAnswerError, type Engine } from './engine.js'
import { findInRegistry, pullImage } from './registry.js'

export interface CustomBuildSurroundings {
  readonly engine: Engine
  readonly processes: ProcessRunner
  /** What the command's environment begins with. */
  readonly env: Environment
  readonly credentials: (host: string, repository?: string) => Promise<RegistryAuth | undefined>
  /** The name that a tag has in the engine, and is pushed by. */
  readonly nameOf: (tag: string) => TaggedName
}

/** How long a command that is called off has to end by itself. Milliseconds. */
const graceMs = 500
const maxTail = 30
const maxShown = 5

/**
 * Run the command and give the id of the image that it made; the engine has it then. A command that is called off is ended with all
 * that it started. The name that it was given is told as made: a command may have pushed by it.
 * @throws DevloopError build/failed, build/no-image, local/start, registry/*, engine/*; AbortError
 */
export async function buildWithCommand(
  request: BuildRequest,
  build: CustomBuild,
  surroundings: CustomBuildSurroundings,
  progress: BuildProgress,
  signal: AbortSignal,
): Promise<string> {
  const { image } = request
  const { engine, nameOf } = surroundings
  const wanted = nameOf(wantedTag(request, build))
  const reference = `${wanted.repository}:${wanted.tag}`
  const folder = await mkdtemp(path.join(tmpdir(), 'devloop-ref-'))
  const refFile = path.join(folder, 'ref')
  try {
    // what an earlier run left must not be taken for what this one makes
    await removeName(engine, reference)
    const env = environment(request, build, surroundings, wanted, refFile)
    const printed = await run(image, build, surroundings.processes, env, progress, signal)
    const told = (await readFile(refFile, 'utf8').catch(() => '')).trim()
    const id = await find(request, surroundings, { wanted, reference, told, printed }, signal)
    if (request.registry) await progress.made?.({ ...wanted, name: 'command', id, pushed: true, engine: engine.endpoint.address })
    return id
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Forget the name that the command was given, once the image has the one that is made from its content. */
export const forgetWanted = (request: BuildRequest, build: CustomBuild, engine: Engine, nameOf: (tag: string) => TaggedName) => {
  const { repository, tag } = nameOf(wantedTag(request, build))
  return removeName(engine, `${repository}:${tag}`)
}

// the same for each run of one command, so that no tags pile up in a registry; another one for each working copy
function wantedTag({ image, instance }: BuildRequest, build: CustomBuild): string {
  const text = JSON.stringify([instance ?? '', image.name, build.command, build.cwd, build.env])
  return `devloop-build-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`
}

function environment(
  { image, bases = {}, registry, platform }: BuildRequest,
  build: CustomBuild,
  { engine, env }: CustomBuildSurroundings,
  { repository, tag }: TaggedName,
  refFile: string,
): Record<string, string> {
  const all: Record<string, string> = {}
  for (const [key, value] of Object.entries(env)) if (value !== undefined) all[key] = value
  const { address } = engine.endpoint
  return {
    ...all,
    // a docker command in it must mean the same engine
    ...(address.startsWith('unix://') && !env['DOCKER_HOST'] && !env['DOCKER_CONTEXT'] ? { DOCKER_HOST: address } : {}),
    ...build.env,
    ...baseArguments(image, bases),
    DEVLOOP_IMAGE: image.name,
    DEVLOOP_REF: `${repository}:${tag}`,
    DEVLOOP_REPOSITORY: repository,
    DEVLOOP_TAG: tag,
    DEVLOOP_REGISTRY: registry?.push ?? '',
    DEVLOOP_PLATFORM: image.options?.platform ?? platform ?? engine.info.platform,
    DEVLOOP_CONTEXT: image.context,
    DEVLOOP_REF_FILE: refFile,
  }
}

/** @returns the last line of its output that is not empty */
async function run(
  image: ImageSpec,
  { command, cwd }: CustomBuild,
  processes: ProcessRunner,
  env: Readonly<Record<string, string>>,
  progress: BuildProgress,
  signal: AbortSignal,
): Promise<string> {
  const shown = typeof command === 'string' ? command : command.join(' ')
  const step = { id: 'command', name: `[command] ${shown}`, startedAt: Date.now() }
  const tail: string[] = []
  let last = ''
  const onErrorLine = (line: string): void => {
    tail.push(line)
    if (tail.length > maxTail) tail.shift()
    progress.log(line)
    progress.step({ ...step, state: 'running', tail: tail.slice(-maxShown) })
  }
  signal.throwIfAborted()
  progress.stage('build')
  progress.step({ ...step, state: 'running' })
  const running = await processes.spawn({
    command,
    cwd,
    env,
    onLine(line) {
      if (line.trim() !== '') last = line.trim()
      onErrorLine(line)
    },
    onErrorLine,
  })
  const stop = (): void => void running.stop(graceMs)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const end = await running.ended
  signal.removeEventListener('abort', stop)
  const failed = signal.aborted || end.exitCode !== 0
  progress.step({
    ...step,
    state: failed ? 'failed' : 'done',
    finishedAt: Date.now(),
    ...(failed ? { tail: tail.slice(-maxShown) } : {}),
  })
  if (signal.aborted) throw abortReason(signal)
  if (end.exitCode === 0) return last
  const how = end.exitCode === undefined ? `was ended by ${end.signal}` : `failed with exit code ${end.exitCode}`
  throw new DevloopError('build/failed', `\`${shown}\` of image ${image.name} ${how}.`, {
    why: tail.join('\n'),
    where: image.at,
    help: 'Correct the command, or the source that it builds.',
  })
}

interface Traces {
  readonly wanted: TaggedName
  readonly reference: string
  /** What stands in the file for the reference; '' = nothing. */
  readonly told: string
  /** The last line of its output. */
  readonly printed: string
}

async function find(
  { image, registry }: BuildRequest,
  { engine, credentials, env }: CustomBuildSurroundings,
  { wanted, reference, told, printed }: Traces,
  signal: AbortSignal,
): Promise<string> {
  const pulled = async (name: string): Promise<string> => {
    await pullImage(engine, name, await credentials(registryHost(name), repositoryOf(name)), signal)
    return (await idOf(engine, name, signal)) as string
  }
  if (told !== '') return (await idOf(engine, told, signal)) ?? pulled(told)
  const made = await idOf(engine, reference, signal)
  if (made !== undefined) return made
  if (registry) {
    const auth = await credentials(registryHost(wanted.repository), wanted.repository)
    if ((await findInRegistry(engine, wanted, registry, { auth, env }, signal)) !== undefined) return pulled(reference)
  }
  if (isReference(printed)) return (await idOf(engine, printed, signal)) ?? pulled(printed)
  throw new DevloopError('build/no-image', `The command that builds image ${image.name} made no image that can be found.`, {
    why: `It ended well, but ${registry ? 'neither the engine nor the registry has' : 'the engine does not have'} ${reference}, DEVLOOP_REF_FILE is empty, and its last line names no image${printed === '' ? '' : `: ${printed.slice(0, 200)}`}.`,
    where: image.at,
    help: 'Let it tag or push its result as $DEVLOOP_REF, or write the reference that it made to the file $DEVLOOP_REF_FILE.',
  })
}

const repositoryOf = (reference: string): string => reference.replace(/@.*$/, '').replace(/:[^:/]*$/, '')

// with a registry or a digest: a last line of ordinary words is no name of an image
const isReference = (text: string): boolean =>
  /^[\w.-]+(?::\d+)?(?:\/[\w.-]+)+(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?$/.test(text) ||
  /^(?:\S+@)?sha256:[0-9a-f]{64}$/.test(text)

async function idOf(engine: Engine, reference: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return (await engine.json<{ Id: string }>({ method: 'GET', path: `/images/${reference}/json`, signal })).Id
  } catch (error) {
    if (error instanceof EngineAnswerError && (error.status === 404 || error.status === 400)) return undefined
    throw engine.refused(error, `look for the image ${reference}`)
  }
}

async function removeName(engine: Engine, reference: string): Promise<void> {
  try {
    const answer = await engine.stream({ method: 'DELETE', path: `/images/${reference}` })
    answer.resume()
  } catch (error) {
    // not there; or in use, and then it is another image that gets the name
    if (!(error instanceof EngineAnswerError)) throw error
  }
}
