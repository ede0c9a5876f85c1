// Checks of the cluster: it answers, there is a namespace to work in, and the rights that the plan needs.
import { userInfo } from 'node:os'
import { isRendered, withBases, type ManifestObject } from '../../model/plan.js'
import { rightsWarning } from '../../model/missing-right.js'
import { userSlug } from '../../model/sandbox.js'
import { createManifestRenderer } from '../../adapters/manifests/renderer.js'
import { createProcessRunner } from '../../adapters/process/process-runner.js'
import { rightsSubjects } from '../../control/rights-subjects.js'
import { DevloopError, isDevloopError } from '../../errors/devloop-error.js'
import { ok, skipped, type Check, type Room } from './finding.js'

const notConnected = 'there is no cluster to ask'

export const clusterCheck: Check = {
  name: 'cluster',
  async run(room, signal) {
    const { openKubeFacts } = await import('../../adapters/kube/kube-facts.js')
    const { context, namespace } = room.options
    const cluster = room.plan?.cluster ?? { contexts: context === undefined ? [] : [context] }
    const facts = await openKubeFacts(
      {
        project: room.plan?.name ?? 'doctor',
        instance: userSlug(userInfo().username),
        cluster,
        stateDir: '',
        ...(context === undefined ? {} : { context }),
        ...(namespace === undefined ? {} : { namespace }),
      },
      signal,
    )
    try {
      const version = await facts.version(signal)
      room.kube = facts
      return ok(`context ${facts.context} (${facts.server}) is Kubernetes ${version}`)
    } catch (thrown) {
      facts.close()
      throw thrown
    }
  },
}

export const userCheck: Check = {
  name: 'user',
  async run({ kube }, signal) {
    if (!kube) return skipped(notConnected)
    const user = await kube.user(signal)
    return user === undefined ? skipped('the cluster does not tell who you are') : ok(`the cluster knows you as ${user}`)
  },
}

export const namespaceCheck: Check = {
  name: 'namespace',
  async run(room, signal) {
    const { kube } = room
    if (!kube) return skipped(notConnected)
    const { name, exists } = await kube.namespace(signal)
    room.namespace = name
    if (exists === false) return { status: 'warning', text: `${name} does not exist yet: \`devloop watch\` makes it, if it may` }
    return ok(exists ? name : `${name} (whether it exists, you may not ask)`)
  },
}

export const rightsCheck: Check = {
  name: 'rights',
  async run({ kube, plan, namespace }, signal) {
    if (!kube || namespace === undefined) return skipped(notConnected)
    if (!plan) return skipped('without a Devloopfile nothing is needed')
    const names = Object.keys(plan.resources)
    const { rendered, without } = await render({ plan, namespace, kube }, signal)
    const subjects = rightsSubjects(
      plan,
      names,
      (image) => withBases(plan, [image]),
      (name) => rendered.get(name),
    )
    const { needed, missing } = await kube.rights(subjects, namespace, signal)
    const left = without.length > 0 ? ` (not of ${without.join(', ')}, which cannot be rendered now)` : ''
    const error = rightsWarning(missing)
    if (error) return { status: 'failed', text: `${missing.length} of ${needed} are missing${left}`, error, missing }
    return { ...ok(`all ${needed} that the plan needs${left}`), missing }
  },
}

/** The objects of charts and kustomizations, as far as the tools for them are there and the files are right. */
async function render(
  { plan, namespace, kube }: Required<Pick<Room, 'plan' | 'namespace' | 'kube'>>,
  signal: AbortSignal,
): Promise<{ rendered: ReadonlyMap<string, readonly ManifestObject[]>; without: readonly string[] }> {
  const renderer = createManifestRenderer(createProcessRunner())
  const rendered = new Map<string, readonly ManifestObject[]>()
  const without: string[] = []
  const version = await kube.version(signal)
  for (const [name, spec] of Object.entries(plan.resources)) {
    if (!isRendered(spec)) continue
    try {
      rendered.set(name, await renderer.render(spec, { namespace, version }, signal))
    } catch (thrown) {
      if (!isDevloopError(thrown)) throw thrown
      without.push(name)
    }
  }
  return { rendered, without }
}

export const registryCheck: Check = {
  name: 'registry',
  async run({ kube, plan }, signal) {
    if (!kube) return skipped(notConnected)
    const image = Object.values(plan?.images ?? {}).find((one) => one.pulled === undefined)
    const registry = await kube.registry(signal)
    if (!registry) {
      if (!image) return skipped('none is known, and none is needed')
      if (kube.connection.product !== undefined) return ok(`none is needed: ${kube.connection.product} gets images without`)
      throw new DevloopError('registry/none', 'No registry is known.', {
        why: 'The Devloopfile names none, and the cluster announces none that you may read.',
      })
    }
    const where = registry.pull === registry.push ? registry.push : `${registry.push}, which the nodes know as ${registry.pull}`
    if (!image) return skipped(`${where}: the plan builds no image`)
    const { checkRegistry } = await import('../../adapters/docker/check-registry.js')
    const error = await checkRegistry(registry, image.name, signal)
    if (!error) return ok(`${where} takes ${image.name}`)
    // the engine, which pushes, may have a way there that this machine has not
    const status = error.code === 'registry/unreachable' ? 'warning' : 'failed'
    return { status, text: `${where} does not take ${image.name}`, error: error.info }
  },
}
