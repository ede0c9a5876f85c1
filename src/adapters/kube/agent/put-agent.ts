// Puts the agent into a pod template: an init container copies it onto an emptyDir, which the synced containers mount read-only.
import type { Container, PodTemplate } from '../../../model/pod-bearing.js'
import { agentAnnotation } from '../labels.js'

/** The agent's image for the nodes that a pod can run on. */
export interface AgentImage {
  /** As nodes pull it. */
  readonly ref: string
  readonly version: string
}

/** Why there is no agent, as a clause, such as `settings.agent is false`. */
export interface NoAgent {
  readonly why: string
}

/** The reason where the Devloopfile wants none, in no way. */
export const agentOff = '`settings.agent` is false'

/** Of the volume and of the init container. */
export const agentName = 'devloop-agent'
/** Where the volume is mounted. */
export const agentFolder = '/.devloop'
/** The program in a container. */
export const agentPath = `${agentFolder}/agent`
/** Name of the program in its image's root folder. */
export const agentFile = 'agent'
/** Who the image starts as: any number that is not root's. */
export const agentUser = 65532

/**
 * Change a template in place. It is first among the init containers, so that it is there also for sidecars.
 * @param containers those that are synced, of this template
 * @returns why it was not put there, with the template as it was; undefined = it was
 */
export function putAgent(
  template: PodTemplate,
  containers: readonly Container[],
  { ref, version }: AgentImage,
): string | undefined {
  const { spec } = template
  const why = obstacle(spec, containers)
  if (why !== undefined) return why
  const resources = resourcesLike(containers)
  const init: Container = {
    name: agentName,
    image: ref,
    imagePullPolicy: 'IfNotPresent',
    command: [`/${agentFile}`, 'install', agentFolder],
    ...(resources ? { resources } : {}),
    securityContext: {
      // no number where none is needed: OpenShift gives each namespace its own
      ...(isRoot(spec.securityContext) ? { runAsUser: agentUser, runAsGroup: agentUser } : {}),
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [{ name: agentName, mountPath: agentFolder }],
  }
  spec.initContainers = [init, ...(spec.initContainers ?? [])]
  spec.volumes = [...listOf(spec.volumes), { name: agentName, emptyDir: {} }]
  for (const container of containers)
    container.volumeMounts = [...listOf(container.volumeMounts), { name: agentName, mountPath: agentFolder, readOnly: true }]
  const metadata = (template.metadata ??= {})
  metadata.annotations = { ...metadata.annotations, [agentAnnotation]: version }
  return undefined
}

/** A container's command with the agent as its parent, which replaces it on request. @param original in the form of a pod's `command` */
export const runByAgent = (original: readonly string[]): string[] => [agentPath, 'run', '--', ...original]

type Fields = Readonly<Record<string, unknown>>

const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? (value as Fields[]) : [])

const isRoot = (context: unknown): boolean => (context as Fields | undefined)?.runAsUser === 0

function obstacle(spec: PodTemplate['spec'], containers: readonly Container[]): string | undefined {
  const nodes = { ...(spec.nodeSelector as Fields | undefined) }
  if (nodes['kubernetes.io/os'] === 'windows' || (spec.os as Fields | undefined)?.name === 'windows')
    return 'the pod is for Windows nodes'
  const named = [...listOf(spec.volumes), ...(spec.initContainers ?? []), ...(spec.containers ?? [])]
  if (named.some(({ name }) => name === agentName)) return `the pod has something of its own called ${agentName}`
  const taken = containers.find(({ volumeMounts }) =>
    listOf(volumeMounts).some(({ mountPath }) => `${String(mountPath)}/`.startsWith(`${agentFolder}/`)),
  )
  return taken && `container ${taken.name} has something of its own mounted at ${agentFolder}`
}

/**
 * What the first of the synced containers asks for. Init containers run before the others, and a pod needs the larger of both, so this
 * costs nothing, keeps the pod's class of service, and passes wherever a LimitRange or a quota lets the container itself pass.
 */
function resourcesLike([first]: readonly Container[]): object | undefined {
  const given = first?.resources as { readonly limits?: Fields; readonly requests?: Fields } | undefined
  const parts = (['limits', 'requests'] as const).flatMap((key) => {
    const usual = Object.entries(given?.[key] ?? {}).filter(([name]) => ['cpu', 'memory', 'ephemeral-storage'].includes(name))
    return usual.length > 0 ? [[key, Object.fromEntries(usual)] as const] : []
  })
  return parts.length > 0 ? Object.fromEntries(parts) : undefined
}
