// What a registry, or the engine in its name, says, told apart: login, rights, name, space, no answer, anything else.
import { DevloopError } from '../../errors/devloop-error.js'
import type { SourcePosition } from '../../errors/devloop-error.js'
import type { RegistryAuth } from './auth.js'
import { redact } from './redact.js'

export type RegistryTrouble =
  | 'registry/auth'
  | 'registry/denied'
  | 'registry/name'
  | 'registry/full'
  | 'registry/unreachable'
  | 'registry/refused'

const noSpace = /no space left on device|disk quota exceeded|insufficient storage|\b507\b/i
const noAnswer =
  /connection refused|no such host|i\/o timeout|deadline exceeded|timeout exceeded|tls handshake timeout|network is unreachable|no route to host|connection reset|server misbehaving|temporary failure in name resolution|request canceled while waiting|\bEOF$|server gave HTTP response to HTTPS client|bad gateway|service unavailable/i
// engines say "unauthorized" of rights too, and then what is missing
const noRight = /denied|forbidden|insufficient_scope|insufficient scope|authorization failed|\b403\b|is read-only/i
const noLogin = /unauthorized|authentication required|no basic auth credentials|incorrect username or password|\b401\b/i
const noName = /name unknown|NAME_UNKNOWN|repository .*does not exist|repository name not known/i

/** Which kind of trouble words tell of. */
export function classifyRegistry(text: string): RegistryTrouble {
  if (noSpace.test(text)) return 'registry/full'
  if (noAnswer.test(text)) return 'registry/unreachable'
  if (/incorrect username or password|no basic auth credentials/i.test(text)) return 'registry/auth'
  if (noName.test(text) && !/denied/i.test(text)) return 'registry/name'
  if (noRight.test(text)) return 'registry/denied'
  return noLogin.test(text) ? 'registry/auth' : 'registry/refused'
}

export interface RegistryErrorOptions {
  /** Host of the registry, such as `localhost:5000`. */
  readonly host: string
  /** What was asked of it, such as `push shop/api:1`. */
  readonly doing: string
  /** The words of the registry or the engine. */
  readonly text: string
  /** With what it was asked, undefined = nobody's; left out where that is not known. Its secrets are taken out of the words. */
  readonly auth?: RegistryAuth | undefined
  /** The repository, where one is at fault. */
  readonly repository?: string | undefined
  readonly help?: string | undefined
  readonly where?: SourcePosition | undefined
}

/** The error for a registry's refusal or silence, by its words. */
export const registryError = (options: RegistryErrorOptions): DevloopError =>
  registryTrouble(classifyRegistry(options.text), options)

/** The error for a known kind of trouble. */
export function registryTrouble(code: RegistryTrouble, options: RegistryErrorOptions): DevloopError {
  const { host, doing, auth, repository, where } = options
  const text = redact(options.text, auth)
  const who = auth?.username ? ` of ${auth.username}` : ''
  const asked = auth !== undefined || !('auth' in options)
  const said = {
    'registry/auth': asked
      ? `The registry ${host} refused the credentials${who} to ${doing}.`
      : `The registry ${host} wants a login to ${doing}.`,
    'registry/denied': asked
      ? `The registry ${host} took the login${who}, but does not let it ${doing}.`
      : `The registry ${host} does not let everybody ${doing}.`,
    'registry/name': `The registry ${host} has no repository to ${doing}, and does not make it.`,
    'registry/full': `The registry ${host} has no space left to ${doing}.`,
    'registry/unreachable': `The registry ${host} does not answer, so devloop could not ${doing}.`,
    'registry/refused': `The registry ${host} refused to ${doing}.`,
  }[code]
  const login = `Log in with \`docker login ${host === 'docker.io' ? '' : host}`.trimEnd() + '`'
  const help = {
    'registry/auth': `${login}.`,
    'registry/denied': !auth
      ? `${login}, and check your rights there.`
      : doing.startsWith('push ')
        ? undefined
        : 'Ask for the right there, or use another image.',
    'registry/name': `Create the repository${repository ? ` ${repository}` : ''}, or let all images share one with cluster.registry.singleName.`,
    'registry/full': undefined,
    'registry/unreachable': undefined,
    'registry/refused': undefined,
  }[code]
  const plainHttp = /server gave HTTP response to HTTPS client/.test(text)
    ? `Add ${host} to the engine's insecure-registries, or serve the registry by HTTPS.`
    : undefined
  const trusted = /x509|certificate/i.test(text)
    ? `Let the engine trust the registry's certificate (/etc/docker/certs.d/${host}/ca.crt).`
    : undefined
  return new DevloopError(code, said, { why: text, where, help: plainHttp ?? trusted ?? help ?? options.help })
}
