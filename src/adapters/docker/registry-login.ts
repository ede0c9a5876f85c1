// Logging in to a registry as its challenge says: by name and password, or by a token for one scope from another server.
import type { RegistryAuth } from './auth.js'
import { NoAnswer, type RegistryAnswer, type RegistryHttp } from './registry-http.js'

/** What a registry wants of whoever asks, from its WWW-Authenticate header. */
export interface Challenge {
  readonly scheme: 'basic' | 'bearer'
  /** Names in lower case: realm, service, scope, error. */
  readonly params: Readonly<Record<string, string>>
}

/** A login that was refused. */
export class LoginRefused extends Error {}

/** The challenges of a header; those of schemes that are not known are left out. */
export function parseChallenges(header: string | undefined): readonly Challenge[] {
  const found: Challenge[] = []
  // a scheme stands before its first parameter
  const scheme = /(?:^|,)\s*([A-Za-z]+)\s+(?=[\w-]+\s*=)/g
  const starts = [...(header ?? '').matchAll(scheme)]
  for (const [index, match] of starts.entries()) {
    const name = match[1]?.toLowerCase()
    if (name !== 'basic' && name !== 'bearer') continue
    const rest = (header ?? '').slice(match.index + match[0].length, starts[index + 1]?.index)
    const params: Record<string, string> = {}
    for (const [, key = '', quoted, bare = ''] of rest.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]*))/g))
      params[key.toLowerCase()] = quoted === undefined ? bare : quoted.replaceAll(/\\(.)/g, '$1')
    found.push({ scheme: name, params })
  }
  return found
}

/**
 * The Authorization header that answers a challenge, undefined where none is wanted or can be given.
 * @param scope such as `repository:shop/api:pull,push`
 * @throws LoginRefused when the token server refuses the credentials; NoAnswer; AbortError
 */
export async function authorize(
  registry: RegistryHttp,
  challenges: readonly Challenge[],
  auth: RegistryAuth | undefined,
  scope: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (auth?.registrytoken !== undefined) return `Bearer ${auth.registrytoken}`
  const bearer = challenges.find((one) => one.scheme === 'bearer' && one.params['realm'] !== undefined)
  if (bearer) return `Bearer ${await fetchToken(registry, bearer, auth, scope, signal)}`
  const basic = challenges.some((one) => one.scheme === 'basic')
  return basic && auth?.username !== undefined && auth.password !== undefined
    ? basicHeader(auth.username, auth.password)
    : undefined
}

const basicHeader = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

async function fetchToken(
  registry: RegistryHttp,
  { params }: Challenge,
  auth: RegistryAuth | undefined,
  scope: string,
  signal: AbortSignal,
): Promise<string> {
  const realm = tokenServer(params['realm'] ?? '', await registry.origin(signal))
  const service = params['service']
  const wanted = { ...(service === undefined ? {} : { service }), scope, client_id: 'devloop' }
  let answer: RegistryAnswer
  if (auth?.identitytoken !== undefined) {
    const body = new URLSearchParams({ grant_type: 'refresh_token', ...wanted, refresh_token: auth.identitytoken }).toString()
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    answer = await registry.exchange(realm.href, { method: 'POST', headers, body }, signal)
  } else {
    for (const [key, value] of Object.entries(wanted)) realm.searchParams.set(key, value)
    const { username, password } = auth ?? {}
    const given = username !== undefined && password !== undefined
    if (given) realm.searchParams.set('account', username)
    const headers = given ? { Authorization: basicHeader(username, password) } : {}
    answer = await registry.exchange(realm.href, { method: 'GET', headers }, signal)
  }
  // an identity token that is no longer good is a bad request, by OAuth
  if (answer.status === 401 || answer.status === 403 || (answer.status === 400 && auth?.identitytoken !== undefined))
    throw new LoginRefused(wordsOf(answer))
  const { token, access_token: accessToken } = parseJson(answer.text) as { token?: unknown; access_token?: unknown }
  const given = token ?? accessToken
  if (answer.status !== 200 || typeof given !== 'string') throw new NoAnswer(`the token server answered with ${answer.status}`)
  return given
}

// a registry that is reached safely must not send credentials to where they can be read
function tokenServer(realm: string, origin: string): URL {
  let url: URL
  try {
    url = new URL(realm)
  } catch {
    throw new NoAnswer('its challenge names no token server')
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && origin.startsWith('http:'))) return url
  throw new NoAnswer('its token server has no HTTPS')
}

/** The registry's own words in an answer: code and message of each error, else the beginning of the text. */
export function wordsOf({ status, text }: RegistryAnswer): string {
  const { errors, details, error_description: description } = parseJson(text)
  const listed = (Array.isArray(errors) ? (errors as Record<string, unknown>[]) : []).map(({ code, message, detail }) => {
    const more = detail === undefined || detail === null ? '' : ` (${describeDetail(detail)})`
    return `${said(code)}: ${said(message)}${more}`
  })
  const words = listed.join('; ') || said(description) || said(details) || text.trim().split('\n')[0]?.slice(0, 200)
  return words ? `${status}: ${words}` : `status ${status}`
}

const said = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Whether it says that the disk, or what one may use of it, is full. */
export const isFull = ({ status, text }: RegistryAnswer): boolean =>
  status === 507 ||
  /no space left|disk quota exceeded|insufficient storage|quota.{0,40}exceed/i.test(text) ||
  numberedFull.test(text)

/** The distribution registry gives the number of the system's error only: ENOSPC or EDQUOT. */
const numberedFull = /"Err":\s*(?:28|122)\b/

function describeDetail(detail: unknown): string {
  const text = typeof detail === 'string' ? detail : JSON.stringify(detail)
  return numberedFull.test(text) ? 'no space left on device' : text.slice(0, 300)
}

/** An object, empty where the text is none. */
export function parseJson(text: string): Record<string, unknown> {
  try {
    const parsed = JSON.parse(text) as unknown
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
