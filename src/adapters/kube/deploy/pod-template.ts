// What devloop adds to every pod template: built images, the agent, restart wrappers, labels, and the template's id.
import { DevloopError, type ErrorInfo, type SourcePosition } from '../../../errors/devloop-error.js'
import type { BuildRecord } from '../../../model/build-record.js'
import type { AgentOf } from '../agent/agents-of.js'
import { agentName, putAgent, runByAgent, type AgentImage, type NoAgent } from '../agent/put-agent.js'
import { agentAnnotation, builtAnnotation, imagesAnnotation, restartableAnnotation, templateLabel } from '../labels.js'
import type { Container, PodTemplate } from '../../../model/pod-bearing.js'
import { superviseCommand } from '../sync/supervisor.js'
import { contentHash } from './content-hash.js'
import { mainCommand } from './main-command.js'
import { ownerLabels, type Owner } from './rendered.js'

export interface FinishOptions {
  readonly owner: Owner
  /** Name of the built image that a container runs; undefined = none. */
  readonly imageOf: (container: Container) => string | undefined
  readonly images: Readonly<Record<string, BuildRecord>>
  readonly restartable: ReadonlySet<string>
  /** Names of Secrets that pods with built images pull with. */
  readonly pullSecrets?: readonly string[]
  /** The agent for containers of an image that is synced; undefined = the image is not. */
  readonly agentOf?: AgentOf
  /** Whether the pods run on until somebody stops them, so that restarting in place makes sense. */
  readonly runsOn: boolean
  readonly at: SourcePosition
  /** For warnings, such as `deployment/api`. */
  readonly workload: string
}

export interface Finished {
  /** Id of the template, which it carries as a label. */
  readonly id: string
  readonly warnings: readonly ErrorInfo[]
  /** Whether the agent is in it, or why it is not where it should be; undefined = it has nothing to do there. */
  readonly agent: 'put' | NoAgent | undefined
}

/** Change a pod template in place into what is applied. */
export function finishPodTemplate(template: PodTemplate, options: FinishOptions): Finished {
  const warnings: ErrorInfo[] = []
  const agent = addAgent(template, options)
  const images: Record<string, string> = {}
  const built: number[] = []
  const restartable: string[] = []
  for (const [container, runsOn] of containersOf(template, options.runsOn)) {
    const name = agent === 'put' && container.name === agentName ? undefined : options.imageOf(container)
    if (name === undefined) continue
    const record = options.images[name]
    if (!record) throw new Error(`no build record of image ${name} was given`)
    container.image = record.ref
    // the reference names content: what the node has is right, and what it lacks must be pulled
    container.imagePullPolicy = 'IfNotPresent'
    images[container.name] = name
    built.push(record.builtAt)
    if (!runsOn || !options.restartable.has(name)) continue
    const byAgent = agent === 'put' && options.agentOf?.(name) !== undefined
    if (!byAgent && !record.config.shell) {
      warnings.push(noShell(name, container.name, options, agent === 'put' ? undefined : agent))
    } else if (wrap(container, record, byAgent)) {
      restartable.push(container.name)
    }
  }
  if (built.length > 0 && options.pullSecrets && options.pullSecrets.length > 0) {
    const given = (template.spec.imagePullSecrets ?? []) as readonly { readonly name?: string }[]
    const added = options.pullSecrets.filter((name) => !given.some((one) => one.name === name))
    template.spec.imagePullSecrets = [...given, ...added.map((name) => ({ name }))]
  }
  const metadata = (template.metadata ??= {})
  metadata.labels = { ...metadata.labels, ...ownerLabels(options.owner) }
  delete metadata.labels[templateLabel]
  if (agent !== 'put' && metadata.annotations) delete metadata.annotations[agentAnnotation]
  if (Object.keys(images).length > 0) {
    metadata.annotations = {
      ...metadata.annotations,
      [imagesAnnotation]: JSON.stringify(images),
      [builtAnnotation]: [...new Set(built)].map((at) => new Date(at).toISOString()).join(','),
      ...(restartable.length > 0 ? { [restartableAnnotation]: restartable.join(',') } : {}),
    }
  }
  const id = contentHash({ labels: metadata.labels, annotations: metadata.annotations, spec: template.spec })
  metadata.labels[templateLabel] = id
  return { id, warnings, agent }
}

/** Every container that a built image can run in; an init container runs on only as a sidecar. */
function containersOf(template: PodTemplate, runsOn: boolean): readonly (readonly [Container, boolean])[] {
  const init = (template.spec.initContainers ?? []).map(
    (container) => [container, runsOn && container.restartPolicy === 'Always'] as const,
  )
  return [...init, ...(template.spec.containers ?? []).map((container) => [container, runsOn] as const)]
}

/** Put the agent beside the containers that run a synced image and stay. */
function addAgent(template: PodTemplate, options: FinishOptions): Finished['agent'] {
  const synced = containersOf(template, true).flatMap(([container, stays]) => {
    const image = stays ? options.imageOf(container) : undefined
    const agent = image === undefined ? undefined : options.agentOf?.(image)
    return agent ? [{ container, agent }] : []
  })
  const [first] = synced
  if (!first) return undefined
  const lacking = synced.find(({ agent }) => 'why' in agent)?.agent
  if (lacking && 'why' in lacking) return lacking
  const { agent } = first
  if ('why' in agent) return agent
  const why = synced.some((one) => (one.agent as AgentImage).ref !== agent.ref)
    ? 'its containers run images of different platforms'
    : putAgent(
        template,
        synced.map(({ container }) => container),
        agent,
      )
  return why === undefined ? 'put' : { why }
}

function wrap(container: Container, record: BuildRecord, byAgent: boolean): boolean {
  const original = mainCommand(container, record.config)
  if (original.length === 0) return false
  container.command = byAgent ? runByAgent(original) : [...superviseCommand(original).command]
  delete container.args
  return true
}

const noShell = (image: string, container: string, { workload, at }: FinishOptions, agent: NoAgent | undefined): ErrorInfo =>
  new DevloopError(
    'restart/unsupported',
    `Container ${container} of ${workload} cannot be restarted in place: image ${image} has no /bin/sh.`,
    { where: at, why: agent && `The agent, which needs no shell, is not there: ${agent.why}.` },
  ).info
