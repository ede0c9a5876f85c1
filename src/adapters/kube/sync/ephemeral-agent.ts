// The agent for a container that has none and no shell either: an ephemeral container beside it holds the program, and the container
// executes it from there. They share a process namespace, so that the program is /proc/PID/exe of that container's process; nothing is
// written into the container for it. The kernel lets it be read by whoever has the same user and group.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { DevloopError, isDevloopError } from '../../../errors/devloop-error.js'
import type { SyncSession, TargetRef } from '../../../ports/sync-transport.js'
import { grantHelp, missingRights, type Right } from '../rights/access.js'
import { agentFile, agentName, type AgentImage } from '../agent/put-agent.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'
import { openAgentSession } from './agent/agent-session.js'
import { noShellHelp } from './dockerfile-help.js'
import { containerName } from './exec-errors.js'
import { openExec } from './exec.js'
import type { OpenExec } from './exec-stream.js'
import { readPod, type PodParts } from './pod-parts.js'

/** A process of the namespace that the container shares. */
interface Ids {
  readonly uid: number
  readonly gid: number
}

/** What an ephemeral container says of itself and of who else is there. */
interface Held {
  readonly pid: number
  readonly own: Ids
  /** By process id. */
  readonly others: ReadonlyMap<number, Ids>
}

/** An ephemeral container cannot be removed, so that no pod gets many because something does not work. */
const mostTries = 3
const mostInPod = 20
/** How long the node may take to start it. Milliseconds. */
const startMs = 60_000
const pauseMs = 150
const patchRight: Right = { verb: 'patch', resource: 'pods/ephemeralcontainers' }

export interface EphemeralAgents {
  /**
   * @param image the agent's, for the node of the pod
   * @throws DevloopError sync/no-shell, with the reason, where it cannot be: also at once when that was so for this container before, unless a right was missing;
   *   sync/disconnected, cluster/*; AbortError
   */
  open(target: TargetRef, image: AgentImage, roots: readonly string[], signal: AbortSignal): Promise<SyncSession>
}

type Failed = (why: string, help?: string) => DevloopError

export function createEphemeralAgents(connection: KubeConnection): EphemeralAgents {
  /** By container id; what was added to a pod for nothing stays there. */
  const hopeless = new Map<string, DevloopError>()
  /** For want of a right nothing was added: it may be given. */
  const forbidden = new WeakSet<DevloopError>()
  /** When ephemeral containers that do not run yet were first waited for, by name: an opening may be called off sooner than they start. */
  const awaited = new Map<string, number>()

  /** What one says once it runs. */
  const started = async (target: TargetRef, name: string, failed: Failed, signal: AbortSignal): Promise<Held> => {
    const since = awaited.get(name) ?? performance.now()
    awaited.set(name, since)
    for (;;) {
      const { status } = await readPod(connection, target, signal)
      const { running, waiting, terminated } = status?.ephemeralContainerStatuses?.find((one) => one.name === name)?.state ?? {}
      if (running) {
        awaited.delete(name)
        return read(connection, target, name, signal)
      }
      const reason = (of: { readonly message?: string; readonly reason?: string }): string =>
        of.message ?? of.reason ?? 'no reason'
      if (terminated) throw failed(`The ephemeral container ${name} ended: ${reason(terminated)}.`)
      if (waiting && /Err|BackOff|Invalid/.test(waiting.reason ?? ''))
        throw failed(`The ephemeral container ${name} does not start: ${reason(waiting)}.`)
      if (performance.now() - since > startMs)
        throw failed(`The ephemeral container ${name} did not start within ${startMs / 1000} s.`)
      await sleep(pauseMs, undefined, { signal })
    }
  }

  /** An ephemeral container beside the target that runs the agent as somebody: one that is there already, or a new one. */
  const hold = async (
    target: TargetRef,
    pod: PodParts,
    image: AgentImage,
    ids: Partial<Ids>,
    failed: Failed,
    signal: AbortSignal,
  ): Promise<Held> => {
    const ours = ownOf(pod, target)
    const known = ours.find((one) => one.image === image.ref && isAs(one.securityContext, ids) && !hasEnded(pod, one.name))
    if (!known && ours.length >= mostInPod)
      throw failed(`${mostInPod} ephemeral containers were added to the pod already, and none of them can be used.`)
    if (known) return started(target, known.name, failed, signal)
    const { namespace } = target
    const missing = await missingRights(connection, namespace, [patchRight], signal)
    if (missing.length > 0) {
      const why = `You may not patch pods/ephemeralcontainers in namespace ${namespace} (the roles \`edit\` and \`admin\` may not either).`
      const error = failed(why, grantHelp(namespace, missing, 'devloop-sync'))
      forbidden.add(error)
      throw error
    }
    const name = `${agentName}-${randomBytes(3).toString('hex')}`
    await add(connection, target, name, image, ids, failed, signal)
    return started(target, name, failed, signal)
  }

  const open: EphemeralAgents['open'] = async (target, image, roots, signal) => {
    const name = containerName(target)
    const failed: Failed = (why, help) =>
      new DevloopError(
        'sync/no-shell',
        `There is no shell that can be used in ${name}, and the agent cannot be brought beside it.`,
        {
          why,
          help: help ?? noShellHelp,
        },
      )
    const exec: OpenExec = (argv, options) => openExec(connection, target, argv, options)
    let why = 'None of the users in its process namespace may use it.'
    const tried = new Set<string>()
    let wanted: readonly Partial<Ids>[] | undefined
    for (let tries = 0; tries < mostTries; tries++) {
      const pod = await readPod(connection, target, signal)
      const [ids, ...rest] = wanted ?? [lastIds(pod, target) ?? declaredIds(pod, target)]
      if (!ids) break
      const held = await hold(target, pod, image, ids, failed, signal)
      tried.add(idsKey(held.own))
      try {
        const agentPath = `/proc/${held.pid}/exe`
        return await openAgentSession({ exec, roots, name, agentPath, version: image.version }, signal)
      } catch (thrown) {
        if (!isDevloopError(thrown) || thrown.code !== 'sync/no-agent') throw thrown
        why = thrown.info.why ?? thrown.message
      }
      wanted = (wanted ? rest : candidates(held, pod)).filter((one) => !tried.has(idsKey(one)))
    }
    throw failed(why)
  }

  return {
    async open(target, image, roots, signal) {
      const known = hopeless.get(target.containerId)
      if (known) throw known
      try {
        return await open(target, image, roots, signal)
      } catch (thrown) {
        if (isDevloopError(thrown) && thrown.code === 'sync/no-shell' && !forbidden.has(thrown))
          hopeless.set(target.containerId, thrown)
        throw thrown
      }
    },
  }
}

type EphemeralParts = NonNullable<NonNullable<PodParts['spec']>['ephemeralContainers']>

/** Those that devloop added beside a container, oldest first. */
const ownOf = ({ spec }: PodParts, { container }: TargetRef): EphemeralParts =>
  (spec?.ephemeralContainers ?? []).filter(
    ({ name, targetContainerName }) => name.startsWith(agentName) && targetContainerName === container,
  )

const hasEnded = ({ status }: PodParts, name: string): boolean =>
  status?.ephemeralContainerStatuses?.some((one) => one.name === name && one.state?.terminated !== undefined) ?? false

/** As whom the last one ran: whoever added it had tried the others. */
function lastIds(pod: PodParts, target: TargetRef): Partial<Ids> | undefined {
  const context = ownOf(pod, target).at(-1)?.securityContext
  return (
    context && {
      ...(context.runAsUser === undefined ? {} : { uid: context.runAsUser }),
      ...(context.runAsGroup === undefined ? {} : { gid: context.runAsGroup }),
    }
  )
}

async function add(
  connection: KubeConnection,
  { namespace, pod, container }: TargetRef,
  name: string,
  { ref }: AgentImage,
  { uid, gid }: Partial<Ids>,
  failed: Failed,
  signal: AbortSignal,
): Promise<void> {
  const ephemeral = {
    name,
    image: ref,
    imagePullPolicy: 'IfNotPresent',
    command: [`/${agentFile}`, 'hold'],
    targetContainerName: container,
    securityContext: {
      ...(uid === undefined ? {} : { runAsUser: uid }),
      ...(gid === undefined ? {} : { runAsGroup: gid }),
      runAsNonRoot: uid !== 0,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  }
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/ephemeralcontainers`
  try {
    await connection.request('PATCH', path, {
      body: { spec: { ephemeralContainers: [ephemeral] } },
      contentType: 'application/strategic-merge-patch+json',
      what: `add an ephemeral container to ${pod}`,
      signal,
    })
  } catch (thrown) {
    const status = statusOf(thrown)
    if (!status || status.code === 401) throw thrown
    throw failed(status.message)
  }
}

/** What it says, once it has said all. */
async function read(connection: KubeConnection, target: TargetRef, container: string, signal: AbortSignal): Promise<Held> {
  const path = `/api/v1/namespaces/${encodeURIComponent(target.namespace)}/pods/${encodeURIComponent(target.pod)}/log`
  const response = await connection.stream(path, {
    query: { container, follow: 'true', limitBytes: '1000000' },
    accept: '*/*',
    what: `read what ${container} of ${target.pod} says`,
    signal,
  })
  let text = ''
  for await (const chunk of response) {
    text += String(chunk)
    if (text.endsWith('holding\n')) break
  }
  const [first, ...others] = text.split('\n').flatMap((line) => {
    const [, pid, uid, gid] = /^(\d+) (\d+) (\d+)$/.exec(line) ?? []
    return pid === undefined ? [] : [[Number(pid), { uid: Number(uid), gid: Number(gid) }] as const]
  })
  if (!first || !text.endsWith('holding\n'))
    throw new DevloopError('sync/disconnected', `The ephemeral container ${container} of ${target.pod} said nothing.`)
  return { pid: first[0], own: first[1], others: new Map(others) }
}

/** As whom the pod says that the container runs; what it does not say is the image's affair. */
function declaredIds({ spec }: PodParts, { container }: TargetRef): Partial<Ids> {
  const own = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].find(
    ({ name }) => name === container,
  )?.securityContext
  const uid = own?.runAsUser ?? spec?.securityContext?.runAsUser
  const gid = own?.runAsGroup ?? spec?.securityContext?.runAsGroup
  // without its own, the group is the image's: mostly that of root
  return uid === undefined ? {} : { uid, gid: gid ?? 0 }
}

const isAs = (
  context: { readonly runAsUser?: number; readonly runAsGroup?: number } | undefined,
  { uid, gid }: Partial<Ids>,
): boolean => context?.runAsUser === uid && context?.runAsGroup === gid

/** Users to try after the declared one: that of the first process, which is the target's own unless all share one namespace. */
function candidates({ others }: Held, { spec }: PodParts): readonly Ids[] {
  const found = new Map<string, Ids>()
  for (const [pid, ids] of [...others].sort(([a], [b]) => a - b)) {
    if (pid === 1 && (spec?.shareProcessNamespace || spec?.hostPID)) continue
    found.set(idsKey(ids), ids)
  }
  return [...found.values()]
}

const idsKey = ({ uid, gid }: Partial<Ids>): string => `${uid}:${gid}`
