// Kubeconfigs that devloop writes: one user, one namespace, a token that runs out; and the change of that token in a file.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chmod, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isMap, isSeq, parse, parseDocument, stringify, type Document } from 'yaml'
import { DevloopError } from '../../../errors/devloop-error.js'
import type { IssuedToken } from './request-token.js'
import { scopedUser, tokenExtension, type ScopedUser, type TokenFacts } from './scoped-user.js'

interface Kubeconfig {
  readonly 'current-context'?: string
  readonly contexts?: readonly { readonly name: string; readonly context: Readonly<Record<string, unknown>> }[]
  readonly clusters?: readonly { readonly name: string; readonly cluster: Readonly<Record<string, unknown>> }[]
  readonly users?: readonly { readonly name: string; readonly user: Readonly<Record<string, unknown>> }[]
}

/**
 * A kubeconfig for a ServiceAccount's namespace and nothing else. Its context has the name of the one that it was made with, so that
 * what a Devloopfile allows for a team (`cluster.contexts`) is the same for all of it.
 * @param base a kubeconfig with one context; of it only the cluster and the names are taken
 */
export function scopedKubeconfig(base: string, { token, facts }: IssuedToken): string {
  const { contexts = [], clusters = [] } = parse(base) as Kubeconfig
  const [context] = contexts
  const [cluster] = clusters
  const user = `devloop-${facts.namespace}`
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': context?.name,
      contexts: [{ name: context?.name, context: { cluster: cluster?.name, namespace: facts.namespace, user } }],
      clusters: [cluster],
      users: [{ name: user, user: userFields({ token, facts }) }],
    },
    { lineWidth: 0 },
  )
}

const userFields = ({ token, facts }: IssuedToken): object => ({
  token,
  extensions: [{ name: tokenExtension, extension: facts }],
})

/**
 * Write such a kubeconfig, readable by its owner alone. A file that is there is only replaced if devloop wrote it for the same
 * ServiceAccount of the same cluster.
 * @param force replace it whatever it is
 * @throws DevloopError kubeconfig/exists, kubeconfig/unwritable
 */
export async function writeKubeconfig(file: string, text: string, force: boolean): Promise<void> {
  if (!force) await refuseOthers(file, text)
  await replace(file, text).catch((thrown: unknown) => {
    throw unwritable(file, thrown)
  })
}

async function refuseOthers(file: string, text: string): Promise<void> {
  let before: string
  try {
    before = await readFile(file, 'utf8')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return
    throw unwritable(file, thrown)
  }
  if (before.trim() === '' || whose(file, before) === whose(file, text)) return
  throw new DevloopError('kubeconfig/exists', `${file} exists, and is not what devloop would write there.`, {
    why: 'It may hold the way to other clusters.',
    help: 'Name another file, or have it replaced with --force.',
  })
}

/** Server and ServiceAccount of a kubeconfig with nothing else in it. */
function whose(file: string, text: string): string | undefined {
  let config: Kubeconfig
  try {
    config = (parse(text) ?? {}) as Kubeconfig
  } catch {
    return undefined
  }
  const { contexts = [], clusters = [], users = [] } = config
  const [user] = users
  if (contexts.length !== 1 || clusters.length !== 1 || users.length !== 1 || !user?.user) return undefined
  const scoped = scopedUser(file, user.name, user.user)
  return scoped && JSON.stringify([clusters[0]?.cluster.server, scoped.facts.namespace, scoped.facts.account])
}

/** The user as the file has it now; undefined = it is not there any more, or not as devloop wrote it. */
export function rereadUser({ file, name }: Pick<ScopedUser, 'file' | 'name'>): ScopedUser | undefined {
  try {
    const { users = [] } = (parse(readFileSync(file, 'utf8')) ?? {}) as Kubeconfig
    const found = users.find((one) => one.name === name)
    return found?.user && scopedUser(file, name, found.user)
  } catch {
    return undefined
  }
}

/**
 * Put a new token into a file; all else in it stays as it is.
 * @throws DevloopError kubeconfig/unwritable, also when the user is not there any more
 */
export async function replaceToken({ file, name, facts: before }: ScopedUser, issued: IssuedToken): Promise<void> {
  try {
    const document = parseDocument(await readFile(file, 'utf8'))
    const index = indexOf(document, name)
    if (index < 0) throw new Error(`there is no user ${name} in it any more`)
    const { issued: from, expires }: TokenFacts = issued.facts
    const fields = userFields({ token: issued.token, facts: { ...before, issued: from, expires } })
    for (const [key, value] of Object.entries(fields)) document.setIn(['users', index, 'user', key], document.createNode(value))
    await replace(file, document.toString({ lineWidth: 0 }))
  } catch (thrown) {
    throw unwritable(file, thrown)
  }
}

function indexOf(document: Document, name: string): number {
  const users = document.get('users')
  return isSeq(users) ? users.items.findIndex((item) => isMap(item) && item.get('name') === name) : -1
}

/** Whole or not at all; through a link, what it leads to. */
async function replace(file: string, text: string): Promise<void> {
  const target = await realpath(file).catch(() => file)
  const mode = await stat(target).then(
    (found) => found.mode & 0o600,
    () => 0o600,
  )
  const beside = join(dirname(target), `.devloop-${randomBytes(6).toString('hex')}`)
  try {
    await writeFile(beside, text, { mode: 0o600, flag: 'wx' })
    await chmod(beside, mode)
    await rename(beside, target)
  } catch (thrown) {
    await rm(beside, { force: true })
    throw thrown
  }
}

const unwritable = (file: string, thrown: unknown): DevloopError =>
  new DevloopError('kubeconfig/unwritable', `The kubeconfig ${file} could not be written.`, {
    why: thrown instanceof Error ? thrown.message.split('\n')[0] : String(thrown),
    cause: thrown,
  })
