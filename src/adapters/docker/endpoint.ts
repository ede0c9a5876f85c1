// Which Docker engine to talk to: DOCKER_HOST, the chosen Docker context, or the usual socket.
import { createHash } from 'node:crypto'
import { access, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import type { Duplex } from 'node:stream'
import { DevloopError } from '../../errors/devloop-error.js'
import type { EngineWish } from '../../ports/image-builder.js'
import { dockerConfigDir, readDockerConfig, readJson, type Environment } from './docker-config.js'
import { dialSsh, parseSsh } from './ssh-connection.js'

/** Where an engine listens. */
export interface Endpoint {
  /** As shown to people, such as `unix:///var/run/docker.sock`. */
  readonly address: string
  /** Where the address came from, for people. */
  readonly origin: string
  /** A Unix socket or named pipe; else host and port. */
  readonly socketPath?: string
  readonly host?: string
  readonly port?: number
  /** Opens a connection where it is no socket of this machine's: through ssh, or into a pod. */
  readonly connect?: () => Promise<Duplex>
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer; readonly skipVerify: boolean }
}

/**
 * Find the engine: the one that the Devloopfile names, else as the docker command does: DOCKER_HOST, then DOCKER_CONTEXT, then `currentContext` of the Docker
 * configuration, then the default socket. Read anew each time, so that a changed context is seen.
 * @throws DevloopError engine/unreachable when what is configured cannot be used
 */
export async function findEndpoint(env: Environment, wish: EngineWish = {}): Promise<Endpoint> {
  const { settings, dial } = wish
  if (dial) return { address: dial.address, origin: 'the Devloopfile', connect: () => dial.open(new AbortController().signal) }
  if (settings && 'context' in settings) return contextEndpoint(settings.context, env)
  if (settings && 'address' in settings) return parseAddress(settings.address, 'the Devloopfile', env, await tlsFrom(env))
  const host = env['DOCKER_HOST']
  if (host) {
    return parseAddress(host, 'DOCKER_HOST', env, await tlsFrom(env))
  }
  const chosen = env['DOCKER_CONTEXT'] || (await readDockerConfig(env)).currentContext
  if (chosen && chosen !== 'default') return contextEndpoint(chosen, env)
  if (process.platform === 'win32') return parseAddress('npipe:////./pipe/docker_engine', 'the default', env)
  const desktop = path.join(env['HOME'] || homedir(), '.docker', 'run', 'docker.sock')
  const usual = '/var/run/docker.sock'
  const socketPath = (await exists(usual)) || !(await exists(desktop)) ? usual : desktop
  return parseAddress(`unix://${socketPath}`, 'the default', env)
}

/** What DOCKER_TLS_VERIFY and DOCKER_CERT_PATH say; undefined = no TLS. */
async function tlsFrom(env: Environment): Promise<Endpoint['tls']> {
  const verify = Boolean(env['DOCKER_TLS_VERIFY'])
  const folder = env['DOCKER_CERT_PATH'] || (verify ? dockerConfigDir(env) : undefined)
  return folder === undefined ? undefined : { ...(await readCertificates(folder)), skipVerify: !verify }
}

async function contextEndpoint(name: string, env: Environment): Promise<Endpoint> {
  const id = createHash('sha256').update(name).digest('hex')
  const base = path.join(dockerConfigDir(env), 'contexts')
  const origin = `the Docker context '${name}'`
  const meta = (await readJson(path.join(base, 'meta', id, 'meta.json'))) as
    | { Endpoints?: { docker?: { Host?: unknown; SkipTLSVerify?: unknown } } }
    | undefined
  const docker = meta?.Endpoints?.docker
  if (typeof docker?.Host !== 'string') {
    throw new DevloopError('engine/unreachable', `The Docker context '${name}' does not exist.`, {
      help: 'Choose another with `docker context use`, or set DOCKER_HOST to the engine to use.',
    })
  }
  const certificates = await readCertificates(path.join(base, 'tls', id, 'docker'))
  const skipVerify = docker.SkipTLSVerify === true
  const tls = certificates.ca || certificates.cert || skipVerify ? { ...certificates, skipVerify } : undefined
  return parseAddress(docker.Host, origin, env, tls)
}

/**
 * Read an address in the forms that DOCKER_HOST takes.
 * @throws DevloopError engine/unreachable for a form that cannot be used
 */
export function parseAddress(address: string, origin: string, env: Environment, tls?: Endpoint['tls']): Endpoint {
  const unusable = (why: string, help: string): DevloopError =>
    new DevloopError('engine/unreachable', `The Docker engine's address '${address}' (from ${origin}) cannot be used.`, {
      why,
      help,
    })
  if (address.startsWith('unix://')) {
    return { address, origin, socketPath: address.slice('unix://'.length) || '/var/run/docker.sock' }
  }
  if (address.startsWith('npipe://')) {
    return { address, origin, socketPath: address.slice('npipe://'.length).replaceAll('/', '\\') || '\\\\.\\pipe\\docker_engine' }
  }
  if (address.startsWith('ssh://')) {
    const place = parseSsh(address)
    if (!place) throw unusable('It is no address of a machine.', 'Use the form ssh://[USER@]HOST[:PORT], without a password.')
    return { address, origin, connect: () => dialSsh(place, env) }
  }
  const withScheme = address.includes('://') ? address : `tcp://${address}`
  let url: URL
  try {
    url = new URL(withScheme.replace(/^[a-z]+:/, 'http:'))
  } catch {
    throw unusable('It is no address.', 'Use a form such as unix:///var/run/docker.sock or tcp://HOST:2375.')
  }
  const scheme = withScheme.slice(0, withScheme.indexOf(':'))
  if (!['tcp', 'http', 'https'].includes(scheme) || !url.hostname) {
    throw unusable(
      'It is no address of a kind that is known.',
      'Use a form such as unix:///var/run/docker.sock or tcp://HOST:2375.',
    )
  }
  const secure = tls ?? (scheme === 'https' ? { skipVerify: false } : undefined)
  // URL leaves out the port when it is http's own
  const explicit = /:(\d+)\/?$/.exec(withScheme)?.[1]
  const port = explicit ? Number(explicit) : secure ? 2376 : 2375
  return { address, origin, host: url.hostname.replace(/^\[|\]$/g, ''), port, ...(secure ? { tls: secure } : {}) }
}

async function readCertificates(folder: string | undefined): Promise<{ ca?: Buffer; cert?: Buffer; key?: Buffer }> {
  if (!folder) return {}
  const read = (name: string): Promise<Buffer | undefined> => readFile(path.join(folder, name)).catch(() => undefined)
  const [ca, cert, key] = await Promise.all([read('ca.pem'), read('cert.pem'), read('key.pem')])
  return { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) }
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  )
