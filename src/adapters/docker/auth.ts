// Credentials for registries, found where the docker command keeps them. They are never logged, and never part of an error.
import { spawn } from 'node:child_process'
import { homedir } from 'node:os'
import path from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'
import type { PullLogin } from '../../ports/image-builder.js'
import {
  dockerConfigDir,
  parseDockerConfig,
  readJson,
  type AuthEntry,
  type DockerConfig,
  type Environment,
} from './docker-config.js'

/** What the engine wants to know to speak to a registry; the form of its X-Registry-Auth header. */
export interface RegistryAuth {
  readonly username?: string
  readonly password?: string
  readonly identitytoken?: string
  readonly registrytoken?: string
  readonly serveraddress: string
}

/** Credentials for a registry's host, or for one repository of it (with its host). @throws DevloopError registry/auth */
export type FindLogin = (host: string, signal: AbortSignal, repository?: string) => Promise<RegistryAuth | undefined>

/** Docker Hub's key in configuration files, unlike any other registry's. */
const hubKey = 'https://index.docker.io/v1/'
const hubHosts = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'])
const helperLimitMs = 10_000

/** The registry's host in an image reference, such as `localhost:5000` of `localhost:5000/shop/api:1`; Docker Hub's is `docker.io`. */
export function registryHost(reference: string): string {
  const bare = reference.replace(/^https?:\/\//, '')
  const slash = bare.indexOf('/')
  const first = slash < 0 ? '' : bare.slice(0, slash)
  const host = /[.:]/.test(first) || first === 'localhost' ? first : 'docker.io'
  return hubHosts.has(host) ? 'docker.io' : host
}

/**
 * Credentials for a registry host, from (first that knows it): a `credHelpers` entry, `credsStore`, `auths` of the Docker
 * configuration, then REGISTRY_AUTH_FILE or the containers auth.json. Undefined = none, which many registries take.
 * @param repository with its host, for files that hold logins of single repositories (Podman's); the longest match counts
 * @throws DevloopError registry/auth when a credential helper is configured and fails
 */
export async function findCredentials(
  host: string,
  env: Environment,
  signal: AbortSignal,
  repository?: string,
): Promise<RegistryAuth | undefined> {
  const keys = keysFor(host)
  const docker = parseDockerConfig(await readJson(path.join(dockerConfigDir(env), 'config.json')))
  const found = await fromConfig(docker, keys, env, signal)
  if (found) return found
  const runtimeDir = env['XDG_RUNTIME_DIR']
  const files = [
    env['REGISTRY_AUTH_FILE'],
    runtimeDir && path.join(runtimeDir, 'containers', 'auth.json'),
    path.join(env['XDG_CONFIG_HOME'] || path.join(env['HOME'] || homedir(), '.config'), 'containers', 'auth.json'),
  ]
  for (const file of files) {
    if (!file) continue
    const config = parseDockerConfig(await readJson(file))
    for (const key of repository?.startsWith(`${host}/`) ? pathsOf(repository, host) : []) {
      const own = config.auths[key] && fromEntry(config.auths[key], host)
      if (own) return own
    }
    const other = await fromConfig(config, keys, env, signal)
    if (other) return other
  }
  return undefined
}

/**
 * A login in the form that the nodes of a cluster take: name and password, and nothing else.
 * @throws DevloopError registry/pull-secret for a token, which nodes cannot use
 */
export function loginForNodes(host: string, auth: RegistryAuth | undefined): PullLogin | undefined {
  if (!auth) return undefined
  const { username, password } = auth
  if (username !== undefined && password !== undefined) return { host: host === 'docker.io' ? hubKey : host, username, password }
  throw new DevloopError('registry/pull-secret', `The login of ${host} cannot be given to the nodes of the cluster.`, {
    why: 'It is an identity token, which only engines can use. Nodes take a name and a password.',
    help: `Make a Secret with \`kubectl create secret docker-registry NAME --docker-server=${host} ...\`, and name it in the Devloopfile: cluster: { pullSecret: 'NAME' }.`,
  })
}

/** The X-Registry-Auth header, or X-Registry-Config for several: base64url of JSON. Without credentials it is an empty object, as the engine wants one. */
export const authHeader = (auth: RegistryAuth | Readonly<Record<string, RegistryAuth>> | undefined): string =>
  Buffer.from(JSON.stringify(auth ?? {}))
    .toString('base64')
    .replaceAll('+', '-')
    .replaceAll('/', '_')

/** A repository and the folders above it, longest first, without the host alone. */
const pathsOf = (repository: string, host: string): readonly string[] => {
  const parts = repository.slice(host.length + 1).split('/')
  return parts.map((_, index) => `${host}/${parts.slice(0, parts.length - index).join('/')}`)
}

const keysFor = (host: string): readonly string[] =>
  host === 'docker.io'
    ? [hubKey, 'https://index.docker.io/v1', 'index.docker.io', 'docker.io', 'registry-1.docker.io']
    : [host, `https://${host}`, `https://${host}/`, `http://${host}`, `https://${host}/v1/`, `https://${host}/v2/`]

async function fromConfig(
  config: DockerConfig,
  keys: readonly string[],
  env: Environment,
  signal: AbortSignal,
): Promise<RegistryAuth | undefined> {
  const first = keys[0] as string
  for (const key of keys) {
    const helper = config.credHelpers[key]
    if (helper) return runHelper(helper, key, env, signal)
  }
  if (config.credsStore) {
    const stored = await runHelper(config.credsStore, first, env, signal)
    if (stored) return stored
  }
  for (const key of keys) {
    const entry = config.auths[key]
    const auth = entry && fromEntry(entry, first)
    if (auth) return auth
  }
  return undefined
}

function fromEntry(entry: AuthEntry, serveraddress: string): RegistryAuth | undefined {
  const decoded = entry.auth ? Buffer.from(entry.auth, 'base64').toString('utf8') : ''
  const colon = decoded.indexOf(':')
  const username = colon > 0 ? decoded.slice(0, colon) : entry.username
  const password = colon > 0 ? decoded.slice(colon + 1).replace(/\0+$/, '') : entry.password
  if (entry.identitytoken) return { ...(username ? { username } : {}), identitytoken: entry.identitytoken, serveraddress }
  if (entry.registrytoken) return { registrytoken: entry.registrytoken, serveraddress }
  return username && password ? { username, password, serveraddress } : undefined
}

// docker-credential-NAME get: the registry on stdin, JSON on stdout. "not found" means there are no credentials.
async function runHelper(name: string, key: string, env: Environment, signal: AbortSignal): Promise<RegistryAuth | undefined> {
  const program = `docker-credential-${name}`
  const failed = (why: string): DevloopError =>
    new DevloopError('registry/auth', `The credential helper ${program} gave no credentials for ${key}.`, {
      why,
      help: `Run \`echo ${key} | ${program} get\` to see its error, or log in with \`docker login\`.`,
    })
  const limit = AbortSignal.timeout(helperLimitMs)
  const result = await new Promise<{ code: number | null; stdout: string }>((resolve, reject) => {
    const child = spawn(program, ['get'], {
      env: { ...env },
      stdio: ['pipe', 'pipe', 'ignore'],
      signal: AbortSignal.any([signal, limit]),
      killSignal: 'SIGKILL',
    })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', (error) => {
      if (signal.aborted || !limit.aborted) reject(signal.aborted ? error : failed(describeSpawn(error)))
      else reject(failed(`It did not answer within ${helperLimitMs / 1000} s.`))
    })
    child.on('close', (code) => resolve({ code, stdout: Buffer.concat(chunks).toString('utf8') }))
    child.stdin.on('error', () => undefined)
    child.stdin.end(key)
  })
  if (result.code !== 0) {
    // helpers write their complaint to stdout; only this one is no failure
    if (/credentials not found|no credentials|not logged in/i.test(result.stdout)) return undefined
    throw failed(`It ended with exit code ${result.code}.`)
  }
  let parsed: { Username?: unknown; Secret?: unknown }
  try {
    parsed = JSON.parse(result.stdout) as typeof parsed
  } catch {
    throw failed('What it printed is no JSON.')
  }
  const { Username: username, Secret: secret } = parsed
  if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') return undefined
  return username === '<token>'
    ? { identitytoken: secret, serveraddress: key }
    : { username, password: secret, serveraddress: key }
}

const describeSpawn = (error: Error): string =>
  (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'It is not installed, or not in PATH.' : error.message
