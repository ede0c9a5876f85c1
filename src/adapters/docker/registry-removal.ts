// Deleting one image of devloop's from a registry, and nothing else with it.
import type { DevloopError } from '../../errors/devloop-error.js'
import type { MadeImage } from '../../model/made-image.js'
import { registryHost } from './auth.js'
import { classifyRegistry, registryError } from './registry-errors.js'
import type { RegistryClient } from './registry-client.js'
import type { RegistryAnswer } from './registry-http.js'
import { parseJson, wordsOf } from './registry-login.js'

/** Tags that devloop gives end so; the digits are those of the image's id, so no two of them name the same image. */
const ownTag = /(?:^|[-_.])devloop-[0-9a-f]{16}$/

/** How many of somebody else's tags are looked at; with more, the image stays. */
const maxOthers = 500

/**
 * @param going tags that are to go as well, and need not be spared
 * @throws DevloopError registry/*; AbortError
 */
export async function removeFromRegistry(
  client: RegistryClient,
  image: MadeImage,
  going: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<'removed' | 'gone' | 'shared' | 'refused'> {
  const { repository, tag } = image
  const host = registryHost(repository)
  const failed = (answer: RegistryAnswer): DevloopError =>
    registryError({ host, doing: `remove ${repository}:${tag}`, text: wordsOf(answer) })

  const found = await client.request('GET', `${client.path}/manifests/${tag}`, signal)
  if (found.status === 404) return 'gone'
  if (found.status !== 200) throw failed(found)
  const digest = String(found.headers['docker-content-digest'] ?? '')
  // a tag that names another image by now is not ours
  if (!isImage(found.text, digest, image.id)) return 'gone'

  const remove = async (reference: string): Promise<'removed' | 'refused'> => {
    const answer = await client.request('DELETE', `${client.path}/manifests/${reference}`, signal)
    if (answer.status === 202 || answer.status === 200 || answer.status === 404) return 'removed'
    if (answer.status === 405 || /\bUNSUPPORTED\b|DIGEST_INVALID/.test(answer.text)) return 'refused'
    // who may push but not delete is told so like this
    if (['registry/auth', 'registry/denied'].includes(classifyRegistry(wordsOf(answer)))) return 'refused'
    throw failed(answer)
  }
  // by its digest all tags of it go, so whoever else has tagged it keeps the tag, and with it the image
  const ofImage = `devloop-${image.id.replace(/^sha256:/, '').slice(0, 16)}`
  // a tag of devloop's that is made of another id cannot lead here
  const isOther = (one: string): boolean =>
    one !== tag && !going.has(one) && (!ownTag.test(one) || (image.name === 'command' && one.endsWith(ofImage)))
  if (digest !== '' && !(await isTaggedElse(client, isOther, digest, signal))) {
    const done = await remove(digest)
    return done === 'removed' ? done : remove(tag)
  }
  return (await remove(tag)) === 'removed' ? 'removed' : 'shared'
}

/** Whether a manifest is that of the image: engines call it by the digest of its configuration, or of its manifest. */
function isImage(manifest: string, digest: string, id: string): boolean {
  if (digest === id) return true
  // what is kept of a long answer is its beginning, which is no whole JSON
  return /"config"\s*:\s*\{[^{}]*"digest"\s*:\s*"([^"]+)"/.exec(manifest)?.[1] === id
}

async function isTaggedElse(
  client: RegistryClient,
  isOther: (tag: string) => boolean,
  digest: string,
  signal: AbortSignal,
): Promise<boolean> {
  const others: string[] = []
  for (let next: string | undefined = `${client.path}/tags/list?n=500`; next !== undefined;) {
    const page: RegistryAnswer = await client.request('GET', next, signal)
    if (page.status !== 200) return true
    const { tags } = parseJson(page.text)
    // a list that cannot be read may hold anything
    if (tags === undefined) return true
    if (Array.isArray(tags)) others.push(...(tags as string[]).filter(isOther))
    if (others.length > maxOthers) return true
    const [, link] = /<([^>]+)>;\s*rel="?next/.exec(String(page.headers.link ?? '')) ?? []
    next = link === undefined ? undefined : new URL(link, 'http://registry').pathname + new URL(link, 'http://registry').search
  }
  for (const tag of others) {
    const answer = await client.request('HEAD', `${client.path}/manifests/${tag}`, signal)
    // one that cannot be looked at might be it
    if (answer.status !== 404 && answer.headers['docker-content-digest'] !== undefined) {
      if (answer.headers['docker-content-digest'] === digest) return true
    } else if (answer.status !== 404) return true
  }
  return false
}
