// What the engine says of a registry, told apart: credentials refused, no answer, anything else.
import { DevloopError } from '../../errors/devloop-error.js'
import type { SourcePosition } from '../../errors/devloop-error.js'

export type RegistryTrouble = 'registry/auth' | 'registry/unreachable' | 'registry/refused'

const noAnswer =
  /connection refused|no such host|i\/o timeout|deadline exceeded|timeout exceeded|tls handshake timeout|network is unreachable|no route to host|connection reset|server misbehaving|temporary failure in name resolution|request canceled while waiting|\bEOF$|server gave HTTP response to HTTPS client|bad gateway|service unavailable/i
const notAllowed =
  /unauthorized|authentication required|no basic auth credentials|denied|forbidden|insufficient_scope|authorization failed|incorrect username or password|\b40[13]\b/i

/** Which kind of trouble the engine's words tell of. */
export function classifyRegistry(text: string): RegistryTrouble {
  if (noAnswer.test(text)) return 'registry/unreachable'
  return notAllowed.test(text) ? 'registry/auth' : 'registry/refused'
}

export interface RegistryErrorOptions {
  /** Host of the registry, such as `localhost:5000`. */
  readonly host: string
  /** What was asked of it, such as `push shop/api:1`. */
  readonly doing: string
  /** The engine's words. */
  readonly text: string
  readonly help?: string | undefined
  readonly where?: SourcePosition | undefined
}

/** The error for a registry's refusal or silence. */
export function registryError({ host, doing, text, help, where }: RegistryErrorOptions): DevloopError {
  const code = classifyRegistry(text)
  const said = {
    'registry/auth': `The registry ${host} refused the credentials to ${doing}.`,
    'registry/unreachable': `The registry ${host} does not answer, so devloop could not ${doing}.`,
    'registry/refused': `The registry ${host} refused to ${doing}.`,
  }[code]
  const login =
    code === 'registry/auth'
      ? `Log in with \`docker login ${host === 'docker.io' ? '' : host}`.trimEnd() + '`, and check your rights there.'
      : undefined
  const plainHttp = /server gave HTTP response to HTTPS client/.test(text)
    ? `Add ${host} to the engine's insecure-registries, or serve the registry by HTTPS.`
    : undefined
  const trusted = /x509|certificate/i.test(text)
    ? `Let the engine trust the registry's certificate (/etc/docker/certs.d/${host}/ca.crt).`
    : undefined
  return new DevloopError(code, said, { why: text, where, help: plainHttp ?? trusted ?? login ?? help })
}
