// Which namespace a developer works in: the one that is named, the sandbox that an operator gave, or one that is made.
import { DevloopError } from '../../../errors/devloop-error.js'
import type { ClusterSettings } from '../../../model/plan.js'
import { ownNamespace } from '../../../model/sandbox.js'
import type { RuntimeOptions } from '../../../ports/runtime.js'
import { missingRights, waitForRights, type Right } from '../rights/access.js'
import type { KubeConnection } from '../connection.js'
import type { LiveObject } from '../deploy/cluster-objects.js'
import { statusOf } from '../errors.js'
import { managedBy, managedByLabel, ownerUserAnnotation } from '../labels.js'
import { apiGroups, projectGroup } from './api-groups.js'
import { adminHelp, makeNamespace, type NamespaceWish } from './make-namespace.js'
import { expiryOf } from './expiry.js'
import { tenantGroup, tenantSandbox } from './tenant-sandbox.js'
import { verifiedUser, type VerifiedUser } from './verified-user.js'

export interface NamespaceQuestion {
  readonly connection: KubeConnection
  readonly project: string
  readonly instance: string
  readonly cluster: Pick<ClusterSettings, 'sandbox' | 'tenant'>
  /** Whether it is made where there is none; else it is only found out which it would be. */
  readonly makes: boolean
  /** Told what is waited for, and what was made. */
  readonly tell: (text: string) => void
  /** Milliseconds to wait for rights in a namespace that was just made. Default: half a minute. */
  readonly patienceMs?: number
}

export interface ResolvedNamespace {
  readonly name: string
  /** Whose devloop made it, when it is devloop's; undefined = it is not, or that is not known. */
  readonly own?: { readonly user: string; readonly live: LiveObject | undefined }
  /** It was made by devloop, for whomever: what it is given is said there. */
  readonly isGiven?: true
}

/** One of these is enough to go on in a namespace: what else is missing is told by name later. */
const working: readonly Right[] = [
  { verb: 'create', resource: 'configmaps' },
  { verb: 'list', resource: 'pods' },
]
/** What everybody who works in a namespace has, once all rights are there: devloop keeps its own records so. */
const enough: readonly Right[] = working.slice(0, 1)

const patienceMs = 30_000
/** Rights in a namespace that was there already are seldom on their way. */
const shortPatienceMs = 5_000

/**
 * Find the developer's namespace, in this order: the one that is named (by option, Devloopfile or context), if there are rights in it; the
 * sandbox that a Multi Tenant Operator gave; one that is made, with the tenant's label, as a project of OpenShift, or plainly. Where
 * nothing of one's own is wanted and there are rights, this is one question to the cluster, and nothing is made here.
 * @throws DevloopError cluster/no-namespace, cluster/*; AbortError
 */
export async function resolveNamespace(question: NamespaceQuestion, signal: AbortSignal): Promise<ResolvedNamespace> {
  const { connection, cluster, makes } = question
  const { namespace: said, namespaceFrom } = connection
  const wantsOwn = cluster.sandbox !== undefined || cluster.tenant !== undefined
  // the `default` of a context is nobody's own
  const named = namespaceFrom === 'user' || (namespaceFrom === 'context' && said !== 'default') ? said : undefined
  const first = named ?? (wantsOwn ? undefined : said)
  if (first !== undefined && (await mayWork(connection, first, signal))) {
    if (!wantsOwn || !makes) return { name: first }
    return provide(question, first, await verifiedUser(connection, signal), signal)
  }
  if (!makes && namespaceFrom === 'user') return { name: said }

  const [user, groups] = await Promise.all([verifiedUser(connection, signal), apiGroups(connection, signal)])
  if (user && namespaceFrom !== 'user' && groups.has(tenantGroup)) {
    const { tenant } = cluster
    const sandbox = await tenantSandbox({ connection, groups, user, tenant, waits: makes, tell: question.tell }, signal)
    if (sandbox !== undefined) {
      if (makes) await awaitRights(question, sandbox, patienceMs, signal)
      return { name: sandbox }
    }
  }
  const name = named ?? (user && (await ownName(question, user, signal)))
  if (name === undefined) {
    throw new DevloopError('cluster/no-namespace', 'No namespace is named, and the cluster does not tell who you are.', {
      help: 'Name one with --namespace, or with cluster.namespace in the Devloopfile.',
    })
  }
  return makes ? provide(question, name, user, signal, groups) : { name }
}

/** The same for a runtime that is being opened. */
export const developersNamespace = (
  connection: KubeConnection,
  { project, instance, cluster, makesNamespace: makes = false }: RuntimeOptions,
  log: (message: string) => void = () => undefined,
  signal: AbortSignal,
): Promise<ResolvedNamespace> => resolveNamespace({ connection, project, instance, cluster, makes, tell: log }, signal)

/** Of the names that may be this user's own the one with rights in it, such as an administrator gave; else the project's. */
async function ownName({ connection, project }: NamespaceQuestion, { name }: VerifiedUser, signal: AbortSignal): Promise<string> {
  const ofProject = ownNamespace(name, project)
  const all = [ofProject, ownNamespace(name)]
  const usable = await Promise.all(all.map((one) => mayWork(connection, one, signal)))
  return all[usable.indexOf(true)] ?? ofProject
}

/** Make sure that a namespace is there, and that one may work in it. */
async function provide(
  question: NamespaceQuestion,
  name: string,
  user: VerifiedUser | undefined,
  signal: AbortSignal,
  groups?: ReadonlyMap<string, unknown>,
): Promise<ResolvedNamespace> {
  const { connection, cluster, tell } = question
  // who has no rights in it may at most make it: then it is not looked at
  if (await mayWork(connection, name, signal)) {
    const live = await look(connection, name, signal)
    if (live === 'hidden') return { name }
    if (live && !live.metadata.deletionTimestamp) {
      if (name !== connection.namespace) refuseOthers(name, user, live)
      return owned(name, user, live)
    }
  }
  if (!user) {
    throw new DevloopError(
      'cluster/no-namespace',
      `The namespace ${name} does not exist, and the cluster does not tell who you are.`,
      {
        help: `Let an administrator run \`kubectl create namespace ${name}\`, or name another one with --namespace.`,
      },
    )
  }
  const served = groups ?? (await apiGroups(connection, signal))
  const wish: NamespaceWish = {
    connection,
    namespace: name,
    owner: user.name,
    settings: cluster.sandbox,
    tenant: cluster.tenant,
    expires: expiryOf(cluster.sandbox, Date.now()),
    madeFor: `${question.project}.${question.instance}`,
    // a project is made by OpenShift itself, which is in no tenant
    asProject: cluster.tenant === undefined && served.has(projectGroup) && !served.has(tenantGroup),
    tell,
  }
  const made = await makeNamespace(wish, signal)
  if (made === 'made') tell(`made the namespace ${name}`)
  const limit = question.patienceMs ?? (made === 'made' ? patienceMs : shortPatienceMs)
  if (!(await awaitRights(question, name, limit, signal))) {
    throw new DevloopError(
      'cluster/no-namespace',
      made === 'made'
        ? `The namespace ${name} was made, but you have no rights in it.`
        : `The namespace ${name} exists, and you have no rights in it.`,
      {
        why: `${user.name} may not ${enough.map(({ verb, resource }) => `${verb} ${resource}`).join(', ')} there.`,
        help: adminHelp(wish),
      },
    )
  }
  const live = await look(connection, name, signal)
  if (made === 'made') return { name, own: { user: user.name, live: live === 'hidden' ? undefined : live } }
  return live && live !== 'hidden' ? owned(name, user, live) : { name }
}

/** Whether devloop made a namespace for somebody, by what it says itself. */
function owned(name: string, user: VerifiedUser | undefined, live: LiveObject): ResolvedNamespace {
  const { labels, annotations } = live.metadata
  const owner = labels?.[managedByLabel] === managedBy ? annotations?.[ownerUserAnnotation] : undefined
  if (owner === undefined) return { name }
  return owner === user?.name ? { name, own: { user: owner, live } } : { name, isGiven: true }
}

/** A name that was made out of a user's must not lead into what is somebody else's. */
function refuseOthers(name: string, user: VerifiedUser | undefined, live: LiveObject): void {
  const owner = live.metadata.annotations?.[ownerUserAnnotation]
  if (owner === undefined || owner === user?.name) return
  throw new DevloopError('cluster/no-namespace', `The namespace ${name} belongs to ${owner}.`, {
    help: 'Name one of your own with --namespace, or with cluster.namespace in the Devloopfile.',
  })
}

/** `hidden`: it may not be looked at. Undefined = there is none. */
async function look(connection: KubeConnection, name: string, signal: AbortSignal): Promise<LiveObject | 'hidden' | undefined> {
  try {
    const path = `/api/v1/namespaces/${encodeURIComponent(name)}`
    return (await connection.request('GET', path, { what: `read the namespace ${name}`, signal })) as LiveObject
  } catch (thrown) {
    const code = statusOf(thrown)?.code
    if (code === 403) return 'hidden'
    if (code === 404) return undefined
    throw thrown
  }
}

const mayWork = async (connection: KubeConnection, namespace: string, signal: AbortSignal): Promise<boolean> =>
  (await missingRights(connection, namespace, working, signal)).length < working.length

/** Operators bind rights seconds after they made a namespace. */
async function awaitRights(
  { connection, tell }: NamespaceQuestion,
  name: string,
  limitMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  if ((await missingRights(connection, name, enough, signal)).length === 0) return true
  tell(`waiting for rights in the namespace ${name}`)
  return (await waitForRights(connection, name, enough, signal, limitMs)).length === 0
}
