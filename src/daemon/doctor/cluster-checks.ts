// Checks of the cluster: it answers, there is a namespace to work in, and the rights that the plan needs.
import { userInfo } from 'node:os'
import { basename } from 'node:path'
import { isRendered, withBases, type ManifestObject } from '../../model/plan.js'
import { rightsWarning } from '../../model/missing-right.js'
import { userSlug } from '../../model/sandbox.js'
import { createManifestRenderer } from '../../adapters/manifests/renderer.js'
import { createProcessRunner } from '../../adapters/process/process-runner.js'
import { rightsSubjects } from '../../control/rights-subjects.js'
import { isDevloopError } from '../../errors/devloop-error.js'
import { inWords, notConnected, ok, skipped, type Check, type Room } from './finding.js'

/** Above this, each save that has to ask the cluster is felt. Milliseconds. */
const slow = 500

export const clusterCheck: Check = {
  name: 'cluster',
  after: ['Devloopfile'],
  limitMs: 15_000,
  async run(room, signal) {
    const { openKubeFacts } = await import('../../adapters/kube/kube-facts.js')
    const { context, namespace } = room.options
    const cluster = room.plan?.cluster ?? { contexts: context === undefined ? [] : [context] }
    const facts = await openKubeFacts(
      {
        project: room.plan?.name ?? 'doctor',
        instance: basename(room.stateDir) || userSlug(userInfo().username),
        cluster,
        stateDir: '',
        ...(context === undefined ? {} : { context }),
        ...(namespace === undefined ? {} : { namespace }),
      },
      signal,
    )
    try {
      const version = await facts.version(signal)
      const latency = await facts.latency(signal)
      room.kube = facts
      const text = `context ${facts.context} (${facts.server}) is Kubernetes ${version}, and answers in ${inWords(latency)}`
      return latency < slow ? ok(text) : { status: 'warning', text: `${text}: slowly` }
    } catch (thrown) {
      facts.close()
      throw thrown
    }
  },
}

export const userCheck: Check = {
  name: 'user',
  after: ['cluster'],
  async run({ kube }, signal) {
    if (!kube) return skipped(notConnected)
    const user = await kube.user(signal)
    return user === undefined ? skipped('the cluster does not tell who you are') : ok(`the cluster knows you as ${user}`)
  },
}

export const namespaceCheck: Check = {
  name: 'namespace',
  after: ['cluster'],
  async run(room, signal) {
    const { kube } = room
    if (!kube) return skipped(notConnected)
    const { name, exists } = await kube.namespace(signal)
    room.namespace = { name, exists }
    if (exists === false) return { status: 'warning', text: `${name} does not exist yet: \`devloop watch\` makes it, if it may` }
    return ok(exists ? name : `${name} (whether it exists, you may not ask)`)
  },
}

export const rightsCheck: Check = {
  name: 'rights',
  after: ['namespace'],
  limitMs: 30_000,
  async run({ kube, plan, namespace: place }, signal) {
    const namespace = place?.name
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
  { plan, namespace, kube }: Required<Pick<Room, 'plan' | 'kube'>> & { readonly namespace: string },
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
