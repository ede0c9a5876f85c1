// Brings an image that was made without the engine to where pods pull it: loaded into the engine and pushed like any other.
import { Readable } from 'node:stream'
import { imageArchive, type ProgramImage } from '../../model/program-image.js'
import type { DevloopError } from '../../errors/devloop-error.js'
import type { ProvideProgress, Registry } from '../../ports/image-builder.js'
import type { RegistryAuth } from './auth.js'
import type { Environment } from './docker-config.js'
import { EngineAnswerError, type Engine } from './engine.js'
import { errorOf, followRequest } from './engine-stream.js'
import { namedAs, referenceOf } from './image-naming.js'
import { findInRegistry, pushImage } from './registry.js'

export interface ProvideOptions {
  readonly registry: Registry | undefined
  readonly auth: RegistryAuth | undefined
  readonly env: Environment
  /** As in pushImage. */
  readonly diagnose: () => Promise<DevloopError | undefined>
}

/** @returns the reference that pods use. @throws as ImageBuilder.provide */
export async function provideByEngine(
  engine: Engine,
  image: ProgramImage,
  { registry, auth, env, diagnose }: ProvideOptions,
  told: ProvideProgress,
  signal: AbortSignal,
): Promise<string> {
  const { named, pulled } = namedAs(image.name, image.tag, registry)
  const there = registry
    ? (await findInRegistry(engine, named, registry, { auth, env }, signal)) !== undefined
    : (await idInEngine(engine, referenceOf(named), signal)) !== undefined
  if (there) return referenceOf(pulled)
  const made = (id: string) => told.made?.({ ...named, id, pushed: registry !== undefined, engine: engine.endpoint.address })
  await made(image.id)
  await load(engine, image, referenceOf(named), signal)
  // engines that keep images as registries do call them by another digest
  const id = await idInEngine(engine, referenceOf(named), signal)
  if (id !== undefined && id !== image.id) await made(id)
  if (registry) {
    const silent = { step: () => undefined, stage: () => undefined, sent: () => undefined }
    await pushImage(engine, named, registry, auth, { ...silent, log: told.log }, diagnose, signal)
  }
  return referenceOf(pulled)
}

async function load(engine: Engine, image: ProgramImage, reference: string, signal: AbortSignal): Promise<void> {
  const what = `load the image ${reference}`
  let refusal: string | undefined
  try {
    await followRequest(
      engine,
      {
        method: 'POST',
        path: '/images/load',
        query: { quiet: '1' },
        headers: { 'Content-Type': 'application/x-tar' },
        body: Readable.from([imageArchive(image, reference)]),
        signal,
      },
      (line) => (refusal ??= errorOf(line)),
    )
  } catch (error) {
    throw engine.refused(error, what)
  }
  if (refusal !== undefined) throw engine.refused(new EngineAnswerError(500, refusal), what)
}

/** The id under which the engine has a name; undefined when it has none. */
export async function idInEngine(engine: Engine, reference: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return (await engine.json<{ Id: string }>({ method: 'GET', path: `/images/${reference}/json`, signal })).Id
  } catch (error) {
    if (error instanceof EngineAnswerError && error.status === 404) return undefined
    throw engine.refused(error, `look for the image ${reference}`)
  }
}
