// Finds out before a long build whether its result can be pushed, and asks what a registry holds where the engine cannot.
import { createHash } from 'node:crypto'
import type { DevloopError } from '../../errors/devloop-error.js'
import type { TaggedName } from '../../model/image-names.js'
import { registryHost, type RegistryAuth } from './auth.js'
import type { Environment } from './docker-config.js'
import { registryTrouble, type RegistryTrouble } from './registry-errors.js'
import { createRegistryHttp, NoAnswer, type RegistryAnswer, type RegistryHttp } from './registry-http.js'
import { LoginRefused, wordsOf } from './registry-login.js'
import { locationOf, logIn, manifestTypes, pathOf, troubleOf, type Session } from './registry-session.js'

/** What is asked of a registry. */
export interface RegistryQuestion {
  /** With its registry, such as `ghcr.io/me/shop_api`. */
  readonly repository: string
  readonly auth: RegistryAuth | undefined
  readonly env: Environment
  /** Page that explains the registry. */
  readonly help?: string | undefined
}

/**
 * Whether a repository can be pushed to: logs in and begins an upload, which it takes back. Undefined when nothing stands against
 * it, also when the registry cannot be asked from here: the engine may reach it by another way.
 * @param bytes how much to write into the upload; engines do not tell what a registry says of a full disk
 * @throws AbortError
 */
export async function checkPush(question: RegistryQuestion, signal: AbortSignal, bytes = 0): Promise<DevloopError | undefined> {
  const { repository, auth, help } = question
  const host = registryHost(repository)
  const registry = createRegistryHttp(host, question.env)
  const trouble = (kind: RegistryTrouble, text: string): DevloopError =>
    registryTrouble(kind, { host, doing: `push ${repository}`, text, help: help && `See ${help}`, auth, repository })
  try {
    const path = pathOf(repository, host)
    const session = await logIn(registry, path, 'pull,push', auth, signal)
    const url = `${session.origin}/v2/${path}/blobs/uploads/`
    const answer = await registry.exchange(url, { method: 'POST', headers: session.headers }, signal)
    const refusal =
      answer.status === 202 ? await tryUpload(registry, session, new URL(locationOf(answer), url), bytes, signal) : answer
    const kind = refusal && troubleOf(refusal, session)
    return refusal && kind && trouble(kind, wordsOf(refusal))
  } catch (error) {
    if (error instanceof LoginRefused) return trouble('registry/auth', error.message)
    // nothing follows from it: the engine will say what it finds
    if (error instanceof NoAnswer || error instanceof TypeError) return undefined
    throw error
  } finally {
    registry.close()
  }
}

/** Write into an upload that was begun, and take it back. Gives the answer that refuses. */
async function tryUpload(
  registry: RegistryHttp,
  { origin, headers }: Session,
  upload: URL,
  bytes: number,
  signal: AbortSignal,
): Promise<RegistryAnswer | undefined> {
  // credentials go only to where they belong
  if (upload.origin !== new URL(origin).origin) return undefined
  let last = upload
  let written: RegistryAnswer | undefined
  if (bytes > 0) {
    const body = Buffer.alloc(bytes)
    const type = { 'Content-Type': 'application/octet-stream' }
    written = await registry.exchange(upload.href, { method: 'PATCH', headers: { ...headers, ...type }, body }, signal)
    if (written.status === 202) last = new URL(locationOf(written), upload)
  }
  await registry.exchange(last.href, { method: 'DELETE', headers }, signal)
  return written?.status === 202 ? undefined : written
}

/** Identifies a question whose answer was good, without holding the secret. */
export const questionKey = ({ repository, auth }: RegistryQuestion): string =>
  createHash('sha256')
    .update(JSON.stringify([repository, auth]))
    .digest('hex')

/**
 * The digest of a tag, asked of the registry itself; undefined when it certainly has none.
 * @throws DevloopError registry/*, AbortError
 */
export async function askRegistry(
  { tag, ...question }: RegistryQuestion & Pick<TaggedName, 'tag'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { repository, auth, help } = question
  const host = registryHost(repository)
  const registry = createRegistryHttp(host, question.env)
  const trouble = (kind: RegistryTrouble, text: string): DevloopError =>
    registryTrouble(kind, {
      host,
      doing: `say whether it has ${repository}:${tag}`,
      text,
      help: help && `See ${help}`,
      auth,
      repository,
    })
  try {
    const path = pathOf(repository, host)
    const session = await logIn(registry, path, 'pull', auth, signal)
    const headers = { ...session.headers, Accept: manifestTypes }
    const answer = await registry.exchange(`${session.origin}/v2/${path}/manifests/${tag}`, { method: 'HEAD', headers }, signal)
    if (answer.status === 404) return undefined
    if (answer.status === 200) return String(answer.headers['docker-content-digest'] ?? tag)
    throw trouble(troubleOf(answer, session) ?? 'registry/refused', wordsOf(answer))
  } catch (error) {
    if (error instanceof LoginRefused) throw trouble('registry/auth', error.message)
    if (error instanceof NoAnswer) throw trouble('registry/unreachable', error.message)
    throw error
  } finally {
    registry.close()
  }
}
