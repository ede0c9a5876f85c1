// Pushes an image that was made without an engine to its registry, by the registry's own API (OCI distribution specification).
import { gzipSync } from 'node:zlib'
import type { DevloopError } from '../../errors/devloop-error.js'
import { digestOf, type ProgramImage } from '../../model/program-image.js'
import type { ProvideProgress, Registry } from '../../ports/image-builder.js'
import { registryHost, type RegistryAuth } from './auth.js'
import type { Environment } from './docker-config.js'
import { namedAs, referenceOf } from './image-naming.js'
import { registryTrouble, type RegistryTrouble } from './registry-errors.js'
import { createRegistryHttp, NoAnswer, type RegistryAnswer, type RegistryHttp } from './registry-http.js'
import { LoginRefused, wordsOf } from './registry-login.js'
import { locationOf, logIn, manifestTypes, pathOf, troubleOf, type Session } from './registry-session.js'

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json'
/** For a blob of some megabytes over a slow line. Milliseconds. */
const uploadMs = 60_000

export interface HttpPushOptions {
  readonly registry: Registry
  readonly auth: RegistryAuth | undefined
  readonly env: Environment
}

/** An answer that is not the one that was wanted. */
class Refused extends Error {
  readonly answer: RegistryAnswer
  constructor(answer: RegistryAnswer) {
    super(wordsOf(answer))
    this.answer = answer
  }
}

/** What is there already is not sent again. @returns the reference that pods use. @throws DevloopError registry/*; AbortError */
export async function provideByHttp(
  image: ProgramImage,
  { registry, auth, env }: HttpPushOptions,
  told: ProvideProgress,
  signal: AbortSignal,
): Promise<string> {
  const { named, pulled } = namedAs(image.name, image.tag, registry)
  const host = registryHost(named.repository)
  const trouble = (kind: RegistryTrouble, text: string): DevloopError =>
    registryTrouble(kind, { host, doing: `push ${referenceOf(named)}`, text, auth, repository: named.repository })
  const http = createRegistryHttp(host, env)
  let session: Session | undefined
  try {
    const path = pathOf(named.repository, host)
    session = await logIn(http, path, 'pull,push', auth, signal)
    const base = `${session.origin}/v2/${path}`
    const { headers } = session
    const manifest = `${base}/manifests/${named.tag}`
    const found = await http.exchange(manifest, { method: 'HEAD', headers: { ...headers, Accept: manifestTypes } }, signal)
    if (found.status === 200) return referenceOf(pulled)
    await told.made?.({ ...named, id: image.id, pushed: true, engine: '' })
    const layer = gzipSync(image.layer)
    await putBlob(http, session, base, image.config, signal)
    await putBlob(http, session, base, layer, signal)
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: { mediaType: 'application/vnd.docker.container.image.v1+json', size: image.config.length, digest: image.id },
      layers: [
        {
          mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
          size: layer.length,
          digest: digestOf(layer),
        },
      ],
    })
    const put = await http.exchange(
      manifest,
      { method: 'PUT', headers: { ...headers, 'Content-Type': manifestType }, body },
      signal,
    )
    if (put.status !== 201) throw new Refused(put)
    return referenceOf(pulled)
  } catch (error) {
    if (error instanceof LoginRefused) throw trouble('registry/auth', error.message)
    if (error instanceof NoAnswer) throw trouble('registry/unreachable', error.message)
    if (error instanceof Refused)
      throw trouble((session && troubleOf(error.answer, session)) ?? 'registry/refused', error.message)
    throw error
  } finally {
    http.close()
  }
}

/** Upload in one piece, unless the registry has it. */
async function putBlob(http: RegistryHttp, session: Session, base: string, content: Buffer, signal: AbortSignal): Promise<void> {
  const { headers, origin } = session
  const digest = digestOf(content)
  const found = await http.exchange(`${base}/blobs/${digest}`, { method: 'HEAD', headers }, signal)
  if (found.status === 200) return
  const begun = await http.exchange(`${base}/blobs/uploads/`, { method: 'POST', headers }, signal)
  if (begun.status !== 202) throw new Refused(begun)
  const upload = new URL(locationOf(begun), base)
  upload.searchParams.set('digest', digest)
  // credentials go only to where they belong
  const own = upload.origin === new URL(origin).origin ? headers : {}
  const put = await http.exchange(
    upload.href,
    { method: 'PUT', headers: { ...own, 'Content-Type': 'application/octet-stream' }, body: content, limitMs: uploadMs },
    signal,
  )
  if (put.status !== 201) throw new Refused(put)
}
