// Putting images into a registry, and asking what is there: both by the engine where it can, being the one that reaches it.
import { isDevloopError, type DevloopError } from '../../errors/devloop-error.js'
import type { TaggedName } from '../../model/image-names.js'
import type { BuildProgress, Registry } from '../../ports/image-builder.js'
import { authHeader, registryHost, type RegistryAuth } from './auth.js'
import { EngineAnswerError, type Engine } from './engine.js'
import { errorOf, followRequest } from './engine-stream.js'
import type { Environment } from './docker-config.js'
import { askRegistry } from './registry-preflight.js'
import { classifyRegistry, registryError } from './registry-errors.js'

/** Give an image in the engine a name. */
export async function tagImage(
  engine: Engine,
  imageId: string,
  { repository, tag }: TaggedName,
  signal: AbortSignal,
): Promise<void> {
  try {
    await engine.json({ method: 'POST', path: `/images/${imageId}/tag`, query: { repo: repository, tag }, body: {}, signal })
  } catch (error) {
    throw engine.refused(error, `tag the image as ${repository}:${tag}`)
  }
}

/**
 * Push a tagged image and give the digest that the registry has it under (`sha256:...`).
 * @param diagnose asks the registry itself what stands against the push: the engine tells little of it, and late
 * @throws DevloopError registry/auth, registry/unreachable, registry/refused; engine/unreachable; AbortError
 */
export async function pushImage(
  engine: Engine,
  image: TaggedName,
  registry: Registry,
  auth: RegistryAuth | undefined,
  progress: BuildProgress,
  diagnose: () => Promise<DevloopError | undefined>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { repository, tag } = image
  const hopeless = new AbortController()
  const host = registryHost(repository)
  const step = { id: `push ${tag}`, name: `[push] ${repository}:${tag}`, startedAt: Date.now() }
  progress.step({ ...step, state: 'running' })
  let digest: string | undefined
  let refusal: string | undefined
  let retrying = false
  try {
    await followRequest(
      engine,
      {
        method: 'POST',
        path: `/images/${repository}/push`,
        query: { tag },
        headers: { 'X-Registry-Auth': authHeader(auth) },
        body: {},
        signal: AbortSignal.any([signal, hopeless.signal]),
      },
      (line) => {
        refusal ??= errorOf(line)
        // it does so for most of a minute, and says why only in the end
        if (!retrying && /^Retrying in /.test(line.status ?? '')) {
          retrying = true
          progress.log(`the registry ${host} did not take a layer; the engine tries again for a while`)
          void diagnose().then(
            // a registry that fails now may not in a moment
            (error) => error && error.code !== 'registry/refused' && hopeless.abort(error),
            () => undefined,
          )
        }
        const aux = line.aux as { Digest?: unknown } | null | undefined
        if (typeof aux?.Digest === 'string') digest = aux.Digest
        // old engines say it in words only
        digest ??= /\bdigest: (sha256:[0-9a-f]{64})/.exec(line.status ?? '')?.[1]
      },
    )
  } catch (error) {
    progress.step({ ...step, state: 'failed', finishedAt: Date.now() })
    if (!signal.aborted && isDevloopError(hopeless.signal.reason)) throw hopeless.signal.reason
    if (!(error instanceof EngineAnswerError)) throw error
    refusal = error.message
  }
  if (refusal !== undefined) {
    progress.step({ ...step, state: 'failed', finishedAt: Date.now() })
    const known = classifyRegistry(refusal) === 'registry/refused' ? await diagnose() : undefined
    if (known) throw known
    throw registryError({
      host,
      doing: `push ${repository}:${tag}`,
      text: refusal,
      auth,
      repository,
      help: registry.help && `See ${registry.help}`,
    })
  }
  progress.step({ ...step, state: 'done', finishedAt: Date.now() })
  return digest
}

/**
 * Let the engine get an image from its registry.
 * @param reference with a tag or digest; without, `latest` is meant
 * @throws DevloopError registry/auth, registry/unreachable, registry/refused; engine/unreachable; AbortError
 */
export async function pullImage(
  engine: Engine,
  reference: string,
  auth: RegistryAuth | undefined,
  signal: AbortSignal,
): Promise<void> {
  let refusal: string | undefined
  const [, tag] = /:([^:/@]+)$/.exec(reference.replace(/@.*$/, '')) ?? []
  const query = { fromImage: reference, ...(tag || reference.includes('@') ? {} : { tag: 'latest' }) }
  try {
    const headers = { 'X-Registry-Auth': authHeader(auth) }
    await followRequest(engine, { method: 'POST', path: '/images/create', query, headers, body: {}, signal }, (line) => {
      refusal ??= errorOf(line)
    })
  } catch (error) {
    if (!(error instanceof EngineAnswerError)) throw error
    refusal = error.message
  }
  if (refusal === undefined) return
  throw registryError({ host: registryHost(reference), doing: `give the image ${reference}`, text: refusal })
}

/**
 * The digest under which a registry has a tag; undefined when it certainly has none.
 * @throws DevloopError registry/auth, registry/unreachable, registry/refused; engine/unreachable; AbortError
 */
export async function findInRegistry(
  engine: Engine,
  { repository, tag }: TaggedName,
  registry: Registry,
  { auth, env }: { readonly auth: RegistryAuth | undefined; readonly env: Environment },
  signal: AbortSignal,
): Promise<string | undefined> {
  // it has no such request
  if (engine.info.podman) return await askRegistry({ repository, tag, auth, env, help: registry.help }, signal)
  try {
    const found = await engine.json<{ Descriptor: { digest: string } }>({
      method: 'GET',
      path: `/distribution/${repository}:${tag}/json`,
      headers: { 'X-Registry-Auth': authHeader(auth) },
      signal,
    })
    return found.Descriptor.digest
  } catch (error) {
    if (!(error instanceof EngineAnswerError)) throw error
    // the engine says "not found" also of a registry that does not answer, so its words decide
    const missing = /manifest unknown|name unknown|not known to registry|manifest for .* not found/i.test(error.message)
    if (missing || (error.status === 404 && classifyRegistry(error.message) === 'registry/refused')) return undefined
    throw registryError({
      host: registryHost(repository),
      doing: `say whether it has ${repository}:${tag}`,
      text: error.message,
      auth,
      repository,
      help: registry.help && `See ${registry.help}`,
    })
  }
}
