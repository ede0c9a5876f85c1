// The user's Docker configuration: where its folder is, and the parts of config.json that devloop heeds.
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'

/** The variables of the environment that matter here; usually process.env. */
export type Environment = Readonly<Record<string, string | undefined>>

/** config.json, as far as it is read. Anything of the wrong type is left out. */
export interface DockerConfig {
  readonly currentContext?: string
  readonly auths: Readonly<Record<string, AuthEntry>>
  readonly credsStore?: string
  readonly credHelpers: Readonly<Record<string, string>>
  /** Build arguments for proxies, as `docker build` sets them: HTTP_PROXY and its like. */
  readonly proxyArgs: Readonly<Record<string, string>>
}

export interface AuthEntry {
  readonly auth?: string
  readonly username?: string
  readonly password?: string
  readonly identitytoken?: string
  readonly registrytoken?: string
}

/** Folder of the Docker configuration: DOCKER_CONFIG, else ~/.docker. */
export const dockerConfigDir = (env: Environment): string =>
  env['DOCKER_CONFIG'] || path.join(env['HOME'] || homedir(), '.docker')

/** Read config.json. A missing or unreadable one counts as empty: the engine works without. */
export async function readDockerConfig(env: Environment): Promise<DockerConfig> {
  return parseDockerConfig(await readJson(path.join(dockerConfigDir(env), 'config.json')))
}

/** The parsed content of a JSON file; undefined when there is none or it is no JSON. */
export async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown
  } catch {
    return undefined
  }
}

/** The parts of a parsed config.json, or of a containers auth.json, which has the same shape. */
export function parseDockerConfig(parsed: unknown): DockerConfig {
  const config = record(parsed)
  const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
  const auths: Record<string, AuthEntry> = {}
  for (const [host, entry] of Object.entries(record(config['auths']))) auths[host] = strings(entry)
  const currentContext = text(config['currentContext'])
  const credsStore = text(config['credsStore'])
  return {
    auths,
    credHelpers: strings(config['credHelpers']),
    proxyArgs: proxyArgs(record(record(config['proxies'])['default'])),
    ...(currentContext ? { currentContext } : {}),
    ...(credsStore ? { credsStore } : {}),
  }
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}

const strings = (value: unknown): Record<string, string> =>
  Object.fromEntries(Object.entries(record(value)).filter((pair): pair is [string, string] => typeof pair[1] === 'string'))

const proxyNames = {
  httpProxy: 'HTTP_PROXY',
  httpsProxy: 'HTTPS_PROXY',
  ftpProxy: 'FTP_PROXY',
  noProxy: 'NO_PROXY',
  allProxy: 'ALL_PROXY',
}

const proxyArgs = (proxies: Record<string, unknown>): Record<string, string> => {
  const args: Record<string, string> = {}
  for (const [key, name] of Object.entries(proxyNames)) {
    const value = proxies[key]
    if (typeof value === 'string' && value !== '') Object.assign(args, { [name]: value, [name.toLowerCase()]: value })
  }
  return args
}
