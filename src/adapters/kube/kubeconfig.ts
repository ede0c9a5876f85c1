// Finding the kubeconfig and choosing one context of it, by kubectl's own rules: several files, the first that names a thing wins.
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { parse } from 'yaml'
import { DevloopError } from '../../errors/devloop-error.js'
import { nearest } from '../../errors/did-you-mean.js'
import { rereadUser } from './scoped/kubeconfig-file.js'
import { scopedUser, type ScopedUser } from './scoped/scoped-user.js'

type Fields = Record<string, unknown>

/** One context with its cluster and user, cut out of the kubeconfig and independent of it from then on. */
export interface ChosenContext {
  readonly context: string
  readonly clusterName: string
  /** Without a slash at the end. May have a path. */
  readonly server: string
  /** Namespace that the context names. */
  readonly namespace: string | undefined
  /** Who made the cluster, where its entry says so, such as `minikube.sigs.k8s.io`. */
  readonly provider: string | undefined
  /** Impersonation that the client library does not know: uid, groups, extra. */
  readonly impersonate: Readonly<Record<string, readonly string[]>>
  /** A kubeconfig with exactly this context, cluster and user; the certificate authority is in it as data. */
  readonly kubeconfig: string
  /** The user, where devloop wrote its entry. */
  readonly scoped: ScopedUser | undefined
  /** The same in kubectl's own words, for commands that are run: with this namespace, and nothing else in it. */
  readonly forCommands: (namespace: string) => string
}

export interface KubeconfigPlaces {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  /** Where a pod finds its service account. */
  readonly serviceAccount: string
}

const here = (): KubeconfigPlaces => ({
  env: process.env,
  home: process.env.HOME ?? homedir(),
  serviceAccount: '/var/run/secrets/kubernetes.io/serviceaccount',
})

/**
 * Read the kubeconfig now and choose a context of it.
 * @param wanted context name; undefined = the current context
 * @throws DevloopError cluster/none, cluster/context
 */
export function chooseContext(wanted: string | undefined, places: KubeconfigPlaces = here()): ChosenContext {
  const merged = load(places)
  const names = [...merged.contexts.keys()]
  const context = wanted ?? merged.current
  if (!context) {
    throw new DevloopError('cluster/context', 'The kubeconfig has no current context.', {
      help: `Name one with --context, or choose one with \`kubectl config use-context\`.${listed(names)}`,
    })
  }
  const found = merged.contexts.get(context)
  if (!found) {
    const near = nearest(context, names)
    throw new DevloopError(
      'cluster/context',
      `The kubeconfig has no context "${context}".${near ? ` Did you mean "${near}"?` : ''}`,
      {
        why: `Read from ${merged.files.join(', ')}.`,
        help: `Name an existing one with --context.${listed(names)}`,
      },
    )
  }
  const clusterName = text(found.cluster) ?? ''
  const cluster = merged.clusters.get(clusterName)
  const server = text(cluster?.server)?.replace(/\/+$/, '')
  if (!cluster || !server) {
    throw new DevloopError(
      'cluster/context',
      `The context "${context}" names the cluster "${clusterName}", which the kubeconfig lacks.`,
      {
        why: `Read from ${merged.files.join(', ')}.`,
        help: 'Correct the kubeconfig, or name another context with --context.',
      },
    )
  }
  const userName = text(found.user) ?? ''
  const user = merged.users.get(userName) ?? {}
  const entry = bound(cluster, server)
  const scoped = scopedUser(merged.userFiles.get(userName) ?? '', userName, user)
  const config = (namespace: string | undefined, fields: Fields): string =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': context,
      contexts: [{ name: context, context: { cluster: clusterName, user: userName, namespace } }],
      clusters: [{ name: clusterName, cluster: entry }],
      users: [{ name: userName || 'none', user: fields }],
    })
  return {
    context,
    clusterName,
    server,
    namespace: text(found.namespace),
    provider: providerOf(cluster),
    impersonate: impersonationOf(user),
    kubeconfig: config(text(found.namespace), forClient(user)),
    scoped,
    // its token is changed while devloop runs
    forCommands: (namespace) => config(namespace, { ...user, ...(scoped ? { token: tokenOf(scoped) } : {}) }),
  }
}

/** The newest token of such a user. */
export const tokenOf = (scoped: ScopedUser): string => rereadUser(scoped)?.token ?? scoped.token

interface Merged {
  readonly files: readonly string[]
  readonly current: string | undefined
  readonly contexts: ReadonlyMap<string, Fields>
  readonly clusters: ReadonlyMap<string, Fields>
  readonly users: ReadonlyMap<string, Fields>
  /** In which file each user is. */
  readonly userFiles: ReadonlyMap<string, string>
}

function load(places: KubeconfigPlaces): Merged {
  const named = (places.env.KUBECONFIG ?? '').split(path.delimiter).filter(Boolean)
  const candidates = named.length > 0 ? named : [path.join(places.home, '.kube', 'config')]
  const files = candidates.filter((file) => existsSync(file))
  if (files.length === 0) {
    const inside = inCluster(places)
    if (named.length === 0 && inside) return inside
    throw new DevloopError('cluster/none', 'There is no kubeconfig.', {
      why:
        named.length > 0
          ? `KUBECONFIG names ${named.join(', ')}, which does not exist.`
          : `KUBECONFIG is not set and ${candidates[0]} does not exist.`,
    })
  }
  const maps = { contexts: new Map<string, Fields>(), clusters: new Map<string, Fields>(), users: new Map<string, Fields>() }
  const userFiles = new Map<string, string>()
  let current: string | undefined
  for (const file of files) {
    const content = read(file)
    current ??= text(content['current-context']) || undefined
    const folder = path.dirname(path.resolve(file))
    collect(content.contexts, 'context', maps.contexts)
    collect(content.clusters, 'cluster', maps.clusters, (fields) => absolute(fields, ['certificate-authority'], folder))
    collect(content.users, 'user', maps.users, (fields) => userIn(fields, folder))
    for (const name of maps.users.keys()) if (!userFiles.has(name)) userFiles.set(name, path.resolve(file))
  }
  return { files, current, ...maps, userFiles }
}

function read(file: string): Fields {
  let content: unknown
  try {
    content = parse(readFileSync(file, 'utf8'))
  } catch (thrown) {
    // Only the first line: a parser's message may quote the text around, and the text holds credentials.
    const why = thrown instanceof Error ? (thrown.message.split('\n')[0] ?? '').replace(/:$/, '') : undefined
    throw new DevloopError('cluster/none', `The kubeconfig ${file} cannot be read.`, {
      why,
      help: 'Correct the file, or set KUBECONFIG to another one.',
    })
  }
  return record(content) ?? {}
}

function collect(
  list: unknown,
  key: string,
  into: Map<string, Fields>,
  adapt: (fields: Fields) => Fields = (fields) => fields,
): void {
  if (!Array.isArray(list)) return
  for (const item of list) {
    const entry = record(item)
    const name = text(entry?.name)
    if (entry && name !== undefined && !into.has(name)) into.set(name, adapt(record(entry[key]) ?? {}))
  }
}

/** A file path in a kubeconfig is relative to the file that it stands in. */
function absolute(fields: Fields, keys: readonly string[], folder: string): Fields {
  const result = { ...fields }
  for (const key of keys) {
    const value = text(result[key])
    if (value) result[key] = path.resolve(folder, value)
  }
  return result
}

function userIn(fields: Fields, folder: string): Fields {
  const user = absolute(fields, ['client-certificate', 'client-key', 'tokenFile'], folder)
  const exec = record(user.exec)
  const command = text(exec?.command)
  // As kubectl: a name is looked up on PATH, something with a slash is a path beside the kubeconfig.
  if (exec && command && command.includes(path.sep)) user.exec = { ...exec, command: path.resolve(folder, command) }
  return user
}

function inCluster(places: KubeconfigPlaces): Merged | undefined {
  const host = places.env.KUBERNETES_SERVICE_HOST
  const tokenFile = path.join(places.serviceAccount, 'token')
  if (!host || !existsSync(tokenFile)) return undefined
  const namespaceFile = path.join(places.serviceAccount, 'namespace')
  const name = 'in-cluster'
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${places.env.KUBERNETES_SERVICE_PORT ?? '443'}`
  const namespace = existsSync(namespaceFile) ? readFileSync(namespaceFile, 'utf8').trim() : undefined
  return {
    files: [places.serviceAccount],
    current: name,
    contexts: new Map([[name, { cluster: name, user: name, namespace }]]),
    clusters: new Map([[name, { server, 'certificate-authority': path.join(places.serviceAccount, 'ca.crt') }]]),
    users: new Map([[name, { tokenFile }]]),
    userFiles: new Map(),
  }
}

/** The cluster entry with the certificate authority as data, so that a later change of a file changes nothing. */
function bound(cluster: Fields, server: string): Fields {
  const { extensions: _, 'certificate-authority': file, ...rest } = cluster
  const result: Fields = { ...rest, server }
  const caFile = text(file)
  if (caFile && !result['certificate-authority-data']) {
    try {
      result['certificate-authority-data'] = readFileSync(caFile).toString('base64')
    } catch {
      throw new DevloopError('cluster/none', `The certificate authority ${caFile}, which the kubeconfig names, cannot be read.`, {
        help: 'Correct `certificate-authority` in the kubeconfig.',
      })
    }
  }
  // The client library refuses plain HTTP unless it is told this.
  if (server.startsWith('http:')) result['insecure-skip-tls-verify'] = true
  return result
}

/** The user entry in the words that the client library knows. */
function forClient(user: Fields): Fields {
  const result: Fields = { ...user }
  const tokenFile = text(user.tokenFile)
  if (tokenFile && !text(user.token)) result['auth-provider'] = { name: 'tokenFile', config: { tokenFile } }
  // Data beats a file in kubectl; in the library a file beats data.
  if (text(user['client-certificate-data'])) delete result['client-certificate']
  if (text(user['client-key-data'])) delete result['client-key']
  const exec = record(user.exec)
  if (exec) {
    const info = { apiVersion: exec.apiVersion, kind: 'ExecCredential', spec: { interactive: false } }
    const env = Array.isArray(exec.env) ? (exec.env as unknown[]) : []
    result.exec = { ...exec, args: exec.args ?? [], env: [...env, { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }] }
  }
  return result
}

function impersonationOf(user: Fields): Record<string, readonly string[]> {
  const headers: Record<string, readonly string[]> = {}
  const uid = text(user['as-uid'])
  if (uid) headers['Impersonate-Uid'] = [uid]
  if (Array.isArray(user['as-groups'])) headers['Impersonate-Group'] = user['as-groups'].map(String)
  for (const [key, values] of Object.entries(record(user['as-user-extra']) ?? {})) {
    if (Array.isArray(values)) headers[`Impersonate-Extra-${encodeURIComponent(key.toLowerCase())}`] = values.map(String)
  }
  return headers
}

function providerOf(cluster: Fields): string | undefined {
  if (!Array.isArray(cluster.extensions)) return undefined
  for (const extension of cluster.extensions) {
    const provider = text(record(record(extension)?.extension)?.provider)
    if (provider) return provider
  }
  return undefined
}

const listed = (names: readonly string[]): string => (names.length > 0 ? ` There are: ${names.slice(0, 20).join(', ')}.` : '')

const record = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
