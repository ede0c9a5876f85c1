// Everything that the API server or the way to it says is wrong, in devloop's words.
import { DevloopError, isDevloopError } from '../../errors/devloop-error.js'

/** The part of a Kubernetes Status object that says what went wrong. */
export interface KubeStatus {
  /** HTTP status. */
  readonly code: number
  /** Such as `NotFound`, `Forbidden`, `Conflict`, `AlreadyExists`. May be empty when no API server answered. */
  readonly reason: string
  readonly message: string
  readonly details?: {
    readonly name?: string
    readonly group?: string
    readonly kind?: string
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[]
    readonly retryAfterSeconds?: number
  }
}

/** What the API server refused with, as an error that `translateKube` understands. */
export class KubeStatusError extends Error {
  override readonly name = 'KubeStatusError'
  readonly status: KubeStatus
  constructor(status: KubeStatus) {
    super(status.message)
    this.status = status
  }
}

/** The status in an answer's body, whatever the body is. */
export function parseStatus(code: number, body: string): KubeStatus {
  try {
    const value = JSON.parse(body) as Partial<KubeStatus> & { kind?: string }
    if (value.kind === 'Status')
      return { ...value, code: value.code ?? code, reason: value.reason ?? '', message: value.message ?? '' }
  } catch {
    // A proxy, or a text answer: the words themselves are the message.
  }
  const plain = /<[a-z!]/i.test(body) ? '' : body.trim().slice(0, 500)
  return { code, reason: '', message: plain || `HTTP ${code}` }
}

/** The HTTP status and reason behind an error, be it translated already or not; undefined when no server answered. */
export function statusOf(thrown: unknown): KubeStatus | undefined {
  if (thrown instanceof KubeStatusError) return thrown.status
  if (isDevloopError(thrown)) return thrown.cause === undefined ? undefined : statusOf(thrown.cause)
  // The client library's ApiException.
  if (thrown instanceof Error && 'body' in thrown && 'code' in thrown && typeof thrown.code === 'number') {
    return parseStatus(thrown.code, typeof thrown.body === 'string' ? thrown.body : JSON.stringify(thrown.body ?? ''))
  }
  return undefined
}

/**
 * Whether admission refused: a webhook, a policy or a quota, and not the lack of a right. These may answer with any status; what they
 * say is theirs.
 */
export const isDenial = ({ code, message }: KubeStatus): boolean =>
  (code === 403 && !/ cannot \S+ resource /.test(message)) ||
  /admission webhook "[^"]+" denied the request|ValidatingAdmissionPolicy '[^']+' with binding '[^']+' denied request/.test(
    message,
  )

/** Where and with what was tried; goes into messages. */
export interface Attempt {
  /** Such as `list pods in dev-ann`. */
  readonly what: string
  readonly context: string
  readonly server: string
}

/** Anything thrown on the way to, in, or from the API server as a DevloopError. */
export function translateKube(thrown: unknown, attempt: Attempt): DevloopError {
  if (isDevloopError(thrown)) return thrown
  const status = statusOf(thrown)
  if (status) return fromStatus(status, attempt, thrown)
  return fromNetwork(thrown, attempt)
}

function fromStatus(status: KubeStatus, { what, context, server }: Attempt, cause: unknown): DevloopError {
  const why = status.message || undefined
  switch (status.code) {
    case 401:
      return new DevloopError(
        'cluster/unauthorized',
        `The API server of context "${context}" refused the credentials (${what}).`,
        { why, cause },
      )
    case 403: {
      const gone = status.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating')
      if (gone) return new DevloopError('cluster/namespace', `Could not ${what}: the namespace is being deleted.`, { why, cause })
      if (/exceeded quota/.test(status.message)) {
        return new DevloopError('cluster/denied', `Could not ${what}: a quota of the namespace is used up.`, {
          why,
          help: 'Free what the quota counts, or ask for a larger one.',
          cause,
        })
      }
      const right = deniedRight(status.message)
      if (!right) return new DevloopError('cluster/denied', `The cluster did not allow to ${what}.`, { why, cause })
      return new DevloopError('cluster/forbidden', `You may not ${right.words}.`, {
        why,
        help: `Ask an administrator of context "${context}" for the right to ${right.words}.`,
        cause,
      })
    }
    case 404:
      if (status.details?.kind !== 'namespaces') break
      return new DevloopError('cluster/namespace', `Could not ${what}: there is no namespace "${status.details.name ?? ''}".`, {
        why,
        cause,
      })
    case 409: {
      const owners = conflictOwners(status)
      if (status.reason !== 'Conflict') break
      return new DevloopError(
        'cluster/conflict',
        `Could not ${what}: ${owners ? `fields are owned by ${owners}` : 'somebody else changed it at the same time'}.`,
        {
          why,
          cause,
        },
      )
    }
    case 400:
    case 422:
      if (isDenial(status)) return new DevloopError('cluster/denied', `The cluster did not allow to ${what}.`, { why, cause })
      return new DevloopError(
        'cluster/invalid',
        `Could not ${what}: ${fieldCauses(status) ?? 'the cluster says it is not valid'}.`,
        { why, cause },
      )
  }
  return new DevloopError(
    'cluster/error',
    `Could not ${what} (HTTP ${status.code}${status.reason ? ` ${status.reason}` : ''}).`,
    {
      why: why ?? `Answered by ${server}.`,
      cause,
    },
  )
}

/** `User "x" cannot create resource "deployments" in API group "apps" in the namespace "y"` in fewer words. */
function deniedRight(message: string): { words: string } | undefined {
  const found =
    /cannot (\S+) resource "([^"]+)"(?: in API group "([^"]*)")?(?:.*?in the namespace "([^"]+)"| at the cluster scope)?/.exec(
      message,
    )
  if (!found) return undefined
  const [, verb, resource, group, namespace] = found
  return {
    words: `${verb} ${resource}${group ? `.${group}` : ''}${namespace ? ` in namespace "${namespace}"` : ' in the whole cluster'}`,
  }
}

function conflictOwners(status: KubeStatus): string | undefined {
  const names = (status.details?.causes ?? [])
    .map((cause) => /conflict with "([^"]+)"/.exec(cause.message ?? '')?.[1])
    .filter((name) => name !== undefined)
  const fields = (status.details?.causes ?? []).map((cause) => cause.field).filter((field) => field !== undefined)
  if (names.length === 0) return undefined
  return `${[...new Set(names)].map((name) => `"${name}"`).join(', ')}${fields.length > 0 ? ` (${fields.slice(0, 5).join(', ')})` : ''}`
}

function fieldCauses(status: KubeStatus): string | undefined {
  const causes = status.details?.causes?.filter((cause) => cause.field)
  if (!causes || causes.length === 0) return undefined
  return causes
    .slice(0, 5)
    .map((cause) => `${cause.field}: ${cause.message ?? cause.reason ?? 'not valid'}`)
    .join('; ')
}

const networkWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there (connection refused).',
  ENOTFOUND: 'Its host name is not known.',
  EAI_AGAIN: 'Its host name could not be looked up.',
  ETIMEDOUT: 'It did not answer in time.',
  ECONNRESET: 'The connection was cut.',
  EPIPE: 'The connection was cut.',
  EHOSTUNREACH: 'There is no way to that host.',
  ENETUNREACH: 'There is no way to that network.',
}

const certificateCodes = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_|HOSTNAME_MISMATCH)/

function fromNetwork(thrown: unknown, { what, context, server }: Attempt): DevloopError {
  const code = codeOf(thrown)
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  if (certificateCodes.test(code)) {
    return new DevloopError(
      'cluster/unreachable',
      `The certificate of the API server ${server} (context "${context}") is not valid for it.`,
      {
        why: message,
        help: 'Check that the kubeconfig belongs to this cluster; a cluster that was made anew has a new certificate authority.',
        cause: thrown,
      },
    )
  }
  return new DevloopError(
    'cluster/unreachable',
    `The API server ${server} (context "${context}") does not answer: could not ${what}.`,
    {
      why: networkWords[code] ?? (message === 'socket hang up' ? 'The connection was cut.' : message),
      cause: thrown,
    },
  )
}

function codeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return ''
  const { code } = thrown as NodeJS.ErrnoException
  if (typeof code === 'string') return code
  return thrown.cause === undefined ? '' : codeOf(thrown.cause)
}
