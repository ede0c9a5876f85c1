// Which Docker engine to talk to: DOCKER_HOST, the chosen Docker context, or the usual socket.
import { createHash } from 'node:crypto'
import { access, readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'
import { dockerConfigDir, readDockerConfig, readJson, type Environment } from './docker-config.js'

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
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer; readonly skipVerify: boolean }
}

/**
 * Find the engine as the docker command does: DOCKER_HOST, then DOCKER_CONTEXT, then `currentContext` of the Docker
 * configuration, then the default socket. Read anew each time, so that a changed context is seen.
 * @throws DevloopError engine/unreachable when what is configured cannot be used
 */
export async function findEndpoint(env: Environment): Promise<Endpoint> {
  const host = env['DOCKER_HOST']
  if (host) {
    const verify = Boolean(env['DOCKER_TLS_VERIFY'])
    const folder = env['DOCKER_CERT_PATH'] || (verify ? dockerConfigDir(env) : undefined)
    const wantsTls = verify || Boolean(env['DOCKER_CERT_PATH'])
    const tls = wantsTls ? { ...(await readCertificates(folder)), skipVerify: !verify } : undefined
    return parseAddress(host, 'DOCKER_HOST', tls)
  }
  const chosen = env['DOCKER_CONTEXT'] || (await readDockerConfig(env)).currentContext
  if (chosen && chosen !== 'default') return contextEndpoint(chosen, env)
  if (process.platform === 'win32') return parseAddress('npipe:////./pipe/docker_engine', 'the default')
  const desktop = path.join(env['HOME'] || homedir(), '.docker', 'run', 'docker.sock')
  const usual = '/var/run/docker.sock'
  const socketPath = (await exists(usual)) || !(await exists(desktop)) ? usual : desktop
  return parseAddress(`unix://${socketPath}`, 'the default')
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
  return parseAddress(docker.Host, origin, tls)
}

/**
 * Read an address in the forms that DOCKER_HOST takes.
 * @throws DevloopError engine/unreachable for a form that cannot be used
 */
export function parseAddress(address: string, origin: string, tls?: Endpoint['tls']): Endpoint {
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
    throw unusable(
      'devloop does not connect to engines by ssh.',
      'Forward the socket (`ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST`) and set DOCKER_HOST=unix:///tmp/docker.sock.',
    )
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
