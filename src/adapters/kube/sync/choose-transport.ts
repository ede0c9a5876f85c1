// Which transport a container gets: the agent where it was put, else the shell loop, else the agent from an ephemeral container beside
// it. What was chosen, and why, is part of what the session says of itself.
import { DevloopError, isDevloopError } from '../../../errors/devloop-error.js'
import type { AgentProgram } from '../../../ports/agent-program.js'
import type { SyncSession, SyncTransport, TargetRef } from '../../../ports/sync-transport.js'
import type { AgentNotes } from '../agent/agent-notes.js'
import type { AgentSource } from '../agent/agent-supply.js'
import { agentFolder, agentOff, agentPath } from '../agent/put-agent.js'
import type { KubeConnection } from '../connection.js'
import { discoverNodePlatform } from '../discovery.js'
import { agentAnnotation } from '../labels.js'
import { openAgentSession } from './agent/agent-session.js'
import { createEphemeralAgents } from './ephemeral-agent.js'
import { containerName } from './exec-errors.js'
import { openExec } from './exec.js'
import type { OpenExec } from './exec-stream.js'
import { readPod, type PodParts } from './pod-parts.js'
import { createShellTransport } from './shell-transport.js'

/** What the shell loop cannot do without. */
const lacking: ReadonlySet<string> = new Set(['sync/no-shell', 'sync/no-tool'])

/** How live sync comes by the agent. */
export interface AgentAccess {
  /** The agent that this devloop speaks to; pods may have another. */
  readonly program: AgentProgram
  readonly notes: AgentNotes
  /** For pods that have none of it. */
  readonly source: AgentSource
}

/** The pod is asked for at each opening: what was put into it is its own affair, whoever deployed it. */
export function createChoosingTransport(connection: KubeConnection, { program, notes, source }: AgentAccess): SyncTransport {
  const shell = createShellTransport(connection)
  const beside = createEphemeralAgents(connection)

  /** @param why there is no agent in the container */
  const otherwise = async (
    why: string,
    target: TargetRef,
    pod: PodParts,
    roots: readonly string[],
    signal: AbortSignal,
  ): Promise<SyncSession> => {
    try {
      const session = await shell.open(target, roots, signal)
      return { ...session, description: `${session.description}; no agent: ${why}` }
    } catch (thrown) {
      if (!isDevloopError(thrown) || !lacking.has(thrown.code)) throw thrown
      const node = pod.spec?.nodeName
      const platform = target.platform ?? (node === undefined ? undefined : await discoverNodePlatform(connection, node, signal))
      const image = why === agentOff ? { why } : await source(platform)
      if ('why' in image)
        throw new DevloopError(thrown.code, thrown.message, {
          why: `The agent, which needs none of it, is not there either: ${image.why}.`,
          help: thrown.info.help,
          cause: thrown,
        })
      const session = await beside.open(target, image, roots, signal)
      const lack = thrown.code === 'sync/no-shell' ? 'the image has no shell' : 'the image has a shell but no mv'
      return { ...session, description: `agent from an ephemeral container (${lack}, and in the pod is none: ${why})` }
    }
  }

  return {
    async open(target, roots, signal) {
      const pod = await readPod(connection, target, signal)
      const version = (await program.version()) ?? ''
      const why = await whyNot(pod, target, version, notes)
      if (why !== undefined) return otherwise(why, target, pod, roots, signal)
      const exec: OpenExec = (argv, options) => openExec(connection, target, argv, options)
      try {
        return await openAgentSession({ exec, roots, name: containerName(target), agentPath, version }, signal)
      } catch (thrown) {
        if (!isDevloopError(thrown) || thrown.code !== 'sync/no-agent') throw thrown
        return otherwise(`it cannot be used: ${thrown.info.why ?? thrown.message}`, target, pod, roots, signal)
      }
    },
  }
}

/** @param version of the agent that came with this devloop, '' = none did. @returns undefined = the agent in the container is ours */
async function whyNot(
  { metadata, spec }: PodParts,
  { container, resource }: TargetRef,
  version: string,
  notes: AgentNotes,
): Promise<string | undefined> {
  const own = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].find(({ name }) => name === container)
  const held = metadata.annotations?.[agentAnnotation]
  if (held === undefined || !own?.volumeMounts?.some(({ mountPath }) => mountPath === agentFolder)) {
    return (resource === undefined ? undefined : await notes.get(resource)) ?? 'it was not put into this pod'
  }
  if (version === '') return 'this devloop came without the agent'
  // the next deploy brings the right one
  return held === version ? undefined : 'that in the pod is of another version of devloop'
}
