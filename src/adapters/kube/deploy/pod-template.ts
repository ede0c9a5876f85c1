// What devloop adds to every pod template: built images, restart wrappers, labels, and the template's id.
import { DevloopError, type ErrorInfo, type SourcePosition } from '../../../errors/devloop-error.js'
import type { BuildRecord } from '../../../model/build-record.js'
import { builtAnnotation, imagesAnnotation, restartableAnnotation, templateLabel } from '../labels.js'
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
  /** Whether the pods run on until somebody stops them, so that restarting in place makes sense. */
  readonly runsOn: boolean
  readonly at: SourcePosition
  /** For warnings, such as `deployment/api`. */
  readonly workload: string
}

/** Change a pod template in place into what is applied. Returns its id, which the template then carries as a label. */
export function finishPodTemplate(
  template: PodTemplate,
  options: FinishOptions,
): { readonly id: string; readonly warnings: readonly ErrorInfo[] } {
  const warnings: ErrorInfo[] = []
  const images: Record<string, string> = {}
  const built: number[] = []
  const restartable: string[] = []
  for (const [container, runsOn] of containersOf(template, options.runsOn)) {
    const name = options.imageOf(container)
    if (name === undefined) continue
    const record = options.images[name]
    if (!record) throw new Error(`no build record of image ${name} was given`)
    container.image = record.ref
    // the reference names content: what the node has is right, and what it lacks must be pulled
    container.imagePullPolicy = 'IfNotPresent'
    images[container.name] = name
    built.push(record.builtAt)
    if (!runsOn || !options.restartable.has(name)) continue
    if (!record.config.shell) {
      warnings.push(noShell(name, container.name, options))
    } else if (wrap(container, record)) {
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
  return { id, warnings }
}

/** Every container that a built image can run in; an init container runs on only as a sidecar. */
function containersOf(template: PodTemplate, runsOn: boolean): readonly (readonly [Container, boolean])[] {
  const init = (template.spec.initContainers ?? []).map(
    (container) => [container, runsOn && container.restartPolicy === 'Always'] as const,
  )
  return [...init, ...(template.spec.containers ?? []).map((container) => [container, runsOn] as const)]
}

function wrap(container: Container, record: BuildRecord): boolean {
  const original = mainCommand(container, record.config)
  if (original.length === 0) return false
  container.command = [...superviseCommand(original).command]
  delete container.args
  return true
}

const noShell = (image: string, container: string, { workload, at }: FinishOptions): ErrorInfo =>
  new DevloopError(
    'restart/unsupported',
    `Container ${container} of ${workload} cannot be restarted in place: image ${image} has no /bin/sh.`,
    { where: at },
  ).info
