// What a project would apply, and what that would change, with no daemon needed and nothing written.
import { userInfo } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { realpath } from 'node:fs/promises'
import { stringify } from 'yaml'
import { machineId } from '../adapters/disk/machine-id.js'
import { createAgentProgram } from '../adapters/disk/agent-program.js'
import { createStateFiles } from '../adapters/disk/state-files.js'
import { stateDir as userStateDir } from '../adapters/disk/xdg.js'
import type { KubePreview } from '../adapters/kube/preview.js'
import { createReleaseTool } from '../adapters/manifests/helm-release.js'
import { createConfigReader } from '../adapters/config/config-reader.js'
import { createManifestRenderer } from '../adapters/manifests/renderer.js'
import { createProcessRunner } from '../adapters/process/process-runner.js'
import { deployRequest } from '../control/deploy-request.js'
import { didYouMean, listed } from '../errors/did-you-mean.js'
import { DevloopError } from '../errors/devloop-error.js'
import type { BuildRecord } from '../model/build-record.js'
import { instanceId } from '../model/instance.js'
import { imagesOf, isRendered, withBases, type Choices, type KubeObject, type Plan } from '../model/plan.js'
import type { DeployRequest } from '../ports/runtime.js'
import { select, selectable } from '../store/selectors.js'
import { configsNeeded } from './configs-needed.js'
import { loadWithSealed } from './down.js'

export interface PreviewOptions {
  /** The Devloopfile. */
  readonly file: string
  readonly context?: string
  readonly namespace?: string
  /** Only these resources, as names or `label:NAME`; none = all. */
  readonly resources: readonly string[]
  /** What the Devloopfile gets as `args`. */
  readonly args: readonly string[]
  /** Which way is wanted of resources that can be made in two. Default: what the Devloopfile prefers. */
  readonly choices?: Choices
}

/** A change of one object, as YAML without what only the cluster writes. */
export interface PreviewChange {
  /** Such as `dev deployment/api`. */
  readonly name: string
  /** '' = it is not there. */
  readonly before: string
  /** '' = it would be deleted. */
  readonly after: string
  /** It would be deleted and made anew. */
  readonly anew: boolean
}

/**
 * The objects of each resource, as a deploy would send them, without the values of secrets of the Devloopfile.
 * @param onNote told what is not as it would be, such as an image that is not built
 * @throws DevloopError devloopfile/*, render/*, tool/missing, cluster/*, request/unknown-resource
 */
export const renderObjects = (
  options: PreviewOptions,
  onNote: (text: string) => void,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> =>
  withPreview(options, onNote, signal, async ({ preview, requests }) => {
    const objects: KubeObject[] = []
    for (const request of requests) {
      for (const object of await preview.render(request, signal)) {
        objects.push(object)
        if (object.kind === 'Secret' && object.data === undefined)
          onNote(`the values of secret/${object.metadata.name} are left out: they are shown to nobody`)
      }
    }
    return objects
  })

/** Objects as YAML documents, in one text. */
export const asYaml = (objects: readonly KubeObject[]): string => objects.map((object) => `---\n${yaml(object)}`).join('')

/** What a deploy would change, object by object; what left the plan included, unless resources are named. @throws as renderObjects */
export const diffObjects = (
  options: PreviewOptions,
  onNote: (text: string) => void,
  signal: AbortSignal,
): Promise<readonly PreviewChange[]> =>
  withPreview(options, onNote, signal, async ({ preview, requests, plan }) => {
    const changes = []
    for (const request of requests) changes.push(...(await preview.diff(request, signal)))
    if (options.resources.length === 0) changes.push(...(await preview.leaving(new Set(Object.keys(plan.resources)), signal)))
    return changes.map(({ name, before, after, anew }) => ({
      name,
      before: before ? yaml(shown(before, after)) : '',
      after: after ? yaml(shown(after, before)) : '',
      anew,
    }))
  })

interface Prepared {
  readonly plan: Plan
  readonly preview: KubePreview
  readonly requests: readonly Parameters<KubePreview['render']>[0][]
}

async function withPreview<T>(
  options: PreviewOptions,
  onNote: (text: string) => void,
  signal: AbortSignal,
  work: (prepared: Prepared) => Promise<T>,
): Promise<T> {
  const file = await realpath(options.file)
  const user = userInfo().username
  const instance = instanceId({ devloopfile: file, user, machine: machineId() })
  const stateDir = join(userStateDir(process.env), instance)
  const { plan, sealed } = await loadWithSealed(file, user, signal, options.args, options.choices)
  const names = chosen(plan, options.resources)
  const processes = createProcessRunner()
  const { openKubePreview } = await import('../adapters/kube/preview.js')
  const preview = await openKubePreview(
    {
      project: plan.name,
      instance,
      cluster: plan.cluster,
      stateDir,
      ...(options.context === undefined ? {} : { context: options.context }),
      ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    },
    { releases: createReleaseTool(processes), agent: createAgentProgram() },
    signal,
  )
  const stateFiles = createStateFiles({ dir: stateDir, project: basename(dirname(file)), instance })
  try {
    const records = new Map((await stateFiles.loadRecords('kubernetes')).map((record) => [record.image, record]))
    const recordOf = (image: string): BuildRecord => records.get(image) ?? notBuilt(image)
    const renderer = createManifestRenderer(processes)
    const reader = createConfigReader({ processes })
    const requestOf = async (name: string): Promise<DeployRequest | undefined> => {
      const spec = plan.resources[name]
      const objects = isRendered(spec) ? await renderer.render(spec, preview, signal) : undefined
      const read = spec?.kind === 'config' ? await reader.read(spec, onNote, signal) : undefined
      const basesOf = (image: string): readonly string[] => withBases(plan, [image])
      return deployRequest(plan, name, { recordOf, basesOf, rendered: objects, read, sealed })
    }
    const requests = await Promise.all(names.map(requestOf))
    for (const name of configsNeeded(plan, requests)) {
      const request = requests[names.indexOf(name)] ?? (await requestOf(name))
      if (request?.resource.kind === 'config') await preview.learn({ ...request, resource: request.resource }, signal)
    }
    const wanted = requests.flatMap((request) =>
      request && request.resource.kind !== 'custom' && request.resource.kind !== 'attach'
        ? { ...request, resource: request.resource }
        : [],
    )
    const missing = new Set(wanted.flatMap(({ resource }) => imagesOf(resource).filter((image) => !records.has(image))))
    for (const image of missing) onNote(`${image} is not built yet: its reference is written as ${notBuilt(image).ref}`)
    for (const name of names) {
      const kind = plan.resources[name]?.kind
      if (kind === 'custom') onNote(`${name} is left out: what it applies is the affair of its command`)
      if (kind === 'attach') onNote(`${name} is left out: something else deploys it`)
    }
    return await work({ plan, preview, requests: wanted })
  } finally {
    preview.close()
    await stateFiles.close()
  }
}

/** @param wanted names and `label:NAME`; none = all */
export function chosen(plan: Plan, wanted: readonly string[]): readonly string[] {
  if (wanted.length === 0) return Object.keys(plan.resources)
  const { names, unknown } = select(plan, wanted)
  const [first] = unknown
  if (first !== undefined) {
    throw new DevloopError('request/unknown-resource', `there is no resource '${first}'`, {
      why: `Resources: ${listed(selectable(plan))}.`,
      help: didYouMean(first, selectable(plan)),
    })
  }
  const deployed = names.filter((name) => plan.resources[name]?.kind !== 'local')
  // of a group, those that are deployed are meant
  const local =
    names.find((name) => wanted.includes(name) && !deployed.includes(name)) ?? (deployed.length === 0 ? names[0] : undefined)
  if (local !== undefined) throw new DevloopError('request/refused', `'${local}' is a local: it applies nothing to the cluster`)
  return deployed
}

/** Stands in for a build that is still to come. */
const notBuilt = (image: string): BuildRecord => ({
  image,
  runtime: 'kubernetes',
  digest: '',
  ref: `${image}:not-built-yet`,
  inputs: '',
  tree: new Map(),
  config: { entrypoint: [], cmd: [], workingDir: '', user: '', shell: true },
  builtAt: 0,
})

const yaml = (object: KubeObject): string => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })

/** Without what only the cluster writes; values of Secrets only as far as that they differ. */
function shown(object: KubeObject, other: KubeObject | undefined): KubeObject {
  const { status: _status, ...rest } = structuredClone(object)
  for (const field of ['managedFields', 'resourceVersion', 'uid', 'creationTimestamp', 'generation', 'selfLink'])
    delete rest.metadata[field]
  delete rest.metadata.annotations?.['devloop.dev/applied']
  if (rest.kind !== 'Secret') return rest as KubeObject
  const theirs = (other?.data ?? {}) as Record<string, string>
  const mine = (rest.data ?? {}) as Record<string, string>
  const masked = Object.entries(mine).map(([key, value]) => [
    key,
    theirs[key] === value ? '***' : other === undefined ? '***' : '*** (another)',
  ])
  return { ...(rest as KubeObject), data: Object.fromEntries(masked) as object }
}
