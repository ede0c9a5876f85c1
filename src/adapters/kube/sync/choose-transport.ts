// Which transport a container gets: the agent where it was put, else the shell loop. What was chosen, and why, is part of what the
// session says of itself.
import { DevloopError, isDevloopError } from '../../../errors/devloop-error.js'
import type { AgentProgram } from '../../../ports/agent-program.js'
import type { SyncSession, SyncTransport, TargetRef } from '../../../ports/sync-transport.js'
import type { AgentNotes } from '../agent/agent-notes.js'
import { agentFolder, agentPath } from '../agent/put-agent.js'
import type { KubeConnection } from '../connection.js'
import { agentAnnotation, resourceLabel } from '../labels.js'
import { openAgentSession } from './agent/agent-session.js'
import { containerName, translateExecRefusal } from './exec-errors.js'
import { openExec } from './exec.js'
import type { OpenExec } from './exec-stream.js'
import { createShellTransport } from './shell-transport.js'

export interface ChooseParts {
  /** The agent that this devloop speaks to; pods may have another. */
  readonly program: AgentProgram
  readonly notes: AgentNotes
}

/** The pod is asked for at each opening: what was put into it is its own affair, whoever deployed it. */
export function createChoosingTransport(connection: KubeConnection, { program, notes }: ChooseParts): SyncTransport {
  const shell = createShellTransport(connection)
  return {
    async open(target, roots, signal) {
      const exec: OpenExec = (argv, options) => openExec(connection, target, argv, options)
      const name = containerName(target)
      const pod = await readPod(connection, target, signal)
      const version = (await program.version()) ?? ''
      const why = await whyNot(pod, target, version, notes)
      if (why !== undefined) return because(why, shell.open(target, roots, signal))
      try {
        return await openAgentSession({ exec, roots, name, agentPath, version }, signal)
      } catch (thrown) {
        if (!isDevloopError(thrown) || thrown.code !== 'sync/no-agent') throw thrown
        return because(`it cannot be used: ${thrown.info.why ?? thrown.message}`, shell.open(target, roots, signal))
      }
    },
  }
}

/** @param why there is no agent */
async function because(why: string, opening: Promise<SyncSession>): Promise<SyncSession> {
  try {
    const session = await opening
    return { ...session, description: `${session.description}; no agent: ${why}` }
  } catch (thrown) {
    if (!isDevloopError(thrown) || thrown.code !== 'sync/no-shell') throw thrown
    throw new DevloopError('sync/no-shell', thrown.message, {
      why: `The agent, which needs no shell, is not there either: ${why}.`,
      cause: thrown,
    })
  }
}

interface PodParts {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec?: {
    readonly containers?: readonly ContainerParts[]
    readonly initContainers?: readonly ContainerParts[]
  }
}

interface ContainerParts {
  readonly name: string
  readonly volumeMounts?: readonly { readonly mountPath: string }[]
}

async function readPod(connection: KubeConnection, target: TargetRef, signal: AbortSignal): Promise<PodParts> {
  const path = `/api/v1/namespaces/${encodeURIComponent(target.namespace)}/pods/${encodeURIComponent(target.pod)}`
  try {
    return (await connection.request('GET', path, { what: `read the pod ${target.pod}`, signal })) as PodParts
  } catch (thrown) {
    throw translateExecRefusal(thrown, target)
  }
}

/** @param version of the agent that came with this devloop, '' = none did. @returns undefined = the agent in the container is ours */
async function whyNot(
  { metadata, spec }: PodParts,
  { container }: TargetRef,
  version: string,
  notes: AgentNotes,
): Promise<string | undefined> {
  const own = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].find(({ name }) => name === container)
  const held = metadata.annotations?.[agentAnnotation]
  if (held === undefined || !own?.volumeMounts?.some(({ mountPath }) => mountPath === agentFolder)) {
    const resource = metadata.labels?.[resourceLabel]
    return (resource === undefined ? undefined : await notes.get(resource)) ?? 'it was not put into this pod'
  }
  if (version === '') return 'this devloop came without the agent'
  // the next deploy brings the right one
  return held === version ? undefined : 'that in the pod is of another version of devloop'
}
