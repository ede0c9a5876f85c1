// Finds a workload that something else deploys, and observes it: what a deploy is for other resources. Writes nothing.
import { DevloopError, type ErrorInfo } from '../../../errors/devloop-error.js'
import { listed } from '../../../errors/did-you-mean.js'
import { attachedName, type AttachSpec } from '../../../model/plan.js'
import type { Deployed, Observed } from '../../../ports/runtime.js'
import { missingRights, rightsError, type Right } from '../rights/access.js'
import type { AdoptedWatches } from '../adopted-watches.js'
import type { KubeConnection } from '../connection.js'
import { workloadKey } from '../observe-resource.js'
import { workloadPaths } from '../observe-workload.js'
import { attachedAdopter, attachedTemplate } from './adopt-attached.js'

export interface AttachParts {
  readonly connection: KubeConnection
  readonly owner: { readonly project: string; readonly instance: string }
  readonly watches: AdoptedWatches
}

/**
 * Resolves also when the workload is not there: it is seen when it appears.
 * @throws DevloopError cluster/forbidden with the rights that are missing, cluster/*
 */
export async function attach(parts: AttachParts, spec: AttachSpec, signal: AbortSignal): Promise<Deployed> {
  const { connection, owner, watches } = parts
  const { name: resource, workload, container, images } = spec
  const namespace = spec.namespace ?? connection.namespace
  const missing = await missingRights(connection, namespace, neededRights(spec), signal)
  if (missing.length > 0) throw rightsError(namespace, missing, `devloop-${resource}`, `Attaching to ${attachedName(spec)}`)
  const key = workloadKey(workload.kind, namespace, workload.name)
  const { adopt, isOwn } = attachedAdopter({ resource, key, container, image: images[0], owner })
  await watches.watch(resource, {
    objects: [{ kind: workload.kind, namespace, name: workload.name }],
    adopt,
    templates: [attachedTemplate],
    amend: (observed) => amended(observed, spec, namespace, isOwn()),
  })
  return { objects: [], templates: [attachedTemplate], warnings: [] }
}

/** What it takes to follow the workload, and what its options need beside that. */
function neededRights({ workload, images, forward }: AttachSpec): readonly Right[] {
  const rights: Right[] = (['get', 'list', 'watch'] as const).map((verb) => ({ verb, resource: 'pods' }))
  rights.push({ verb: 'get', resource: 'pods/log' })
  // a stream is opened by a GET, which newer clusters count as a create too
  if (images.length > 0) rights.push({ verb: 'get', resource: 'pods/exec' })
  if (forward.length > 0) rights.push({ verb: 'get', resource: 'pods/portforward' })
  if (workload.kind !== 'Pod') {
    const { group, plural } = workloadPaths[workload.kind]
    const [, name = ''] = group.split('/')
    // what owns a ReplicaSet speaks for its pods
    for (const resource of workload.kind === 'ReplicaSet' ? [plural, 'deployments'] : [plural])
      for (const verb of ['list', 'watch']) rights.push({ verb, resource, group: name })
  }
  return rights
}

/** What the workload and its pods do not say themselves: that it is not there, is not for attaching, or that no container can be chosen. */
function amended(observed: Observed, spec: AttachSpec, namespace: string, isOwn: boolean): Observed {
  const name = attachedName(spec)
  if (isOwn) return failed(observed, ownError(spec))
  const error = containerError(observed, spec)
  if (error) return failed(observed, error)
  if (observed.message !== `${name} is not seen yet`) return observed
  return { ...observed, message: `there is no ${name} in namespace ${namespace}: devloop attaches to it when it appears` }
}

const failed = (observed: Observed, error: ErrorInfo): Observed => ({
  ...observed,
  rolledOut: false,
  message: observed.message ?? error.message,
  error: observed.error ?? error,
})

const ownError = (spec: AttachSpec): ErrorInfo =>
  new DevloopError('attach/own', `${attachedName(spec)} is deployed by this Devloopfile.`, {
    where: spec.at,
    help: 'Attach is for what something else deploys: give the rules to an image of the resource that deploys it instead.',
  }).info

/** Where files are to go and some pod does not say into which container. */
function containerError({ pods }: Observed, spec: AttachSpec): ErrorInfo | undefined {
  const [image] = spec.images
  if (image === undefined) return undefined
  const pod = pods.find(({ phase, containers }) => phase !== 'terminating' && containers.every((one) => one.image !== image))
  if (!pod) return undefined
  const names = pod.containers.filter(({ kind }) => kind !== 'init').map(({ name }) => `'${name}'`)
  const { container } = spec
  return new DevloopError(
    'attach/container',
    container === undefined
      ? `The pods of ${attachedName(spec)} have several containers, and none is named.`
      : `The pods of ${attachedName(spec)} have no container '${container}'.`,
    {
      why: `There are ${listed(names)} (pod ${pod.name}).`,
      where: spec.at,
      help: `Name one of them: attach('${attachedName(spec)}', { container: ... })`,
    },
  ).info
}
