// Helm releases: whose they are, whether an upgrade is due, and what they leave behind. Helm itself is run behind a port.
import { DevloopError, isDevloopError } from '../../../errors/devloop-error.js'
import { podBearing } from '../../../model/pod-bearing.js'
import type { KubeObject, ReleaseSpec } from '../../../model/plan.js'
import type { ReleasePlace, ReleaseTool } from '../../../ports/release-tool.js'
import type { Deployed, KeptObject, RemoveOptions, RuntimeOptions } from '../../../ports/runtime.js'
import { createAgentAdmission } from '../agent/agent-admission.js'
import { agentsOf, withoutAgent, type AgentParts } from '../agent/agents-of.js'
import { objectRefusal, podRefusal } from '../agent/pod-refusal.js'
import type { KubeConnection } from '../connection.js'
import { fieldManager, instanceLabel, managedByLabel, projectLabel, resourceLabel, templateLabel } from '../labels.js'
import type { ExpectedObject } from '../observe.js'
import { applyObject } from '../deploy/apply-object.js'
import { readObject, waitUntilGone } from '../deploy/cluster-objects.js'
import { inParallel } from '../deploy/in-parallel.js'
import { sameRef, type Inventory, type ObjectRef } from '../deploy/inventory.js'
import { createKindCatalog } from '../deploy/kinds.js'
import { lookAt, refOf } from '../deploy/look-at.js'
import { inNamespace } from '../deploy/namespaces.js'
import { pullSecretName, pullSecrets, type PullSource } from '../deploy/pull-secret.js'
import { letGo, refPath, removeObjects } from '../deploy/remove-objects.js'
import { objectName, type Owner, type RenderedObject } from '../deploy/rendered.js'
import { secretValues } from '../deploy/secret-values.js'
import { isHook, isKept, releaseObjects, type FinishedRelease } from './finish-release.js'
import { failedHooks } from './hook-logs.js'
import { isOwnRelease, isUpToDate, readRelease, type ReleaseState } from './read-release.js'
import {
  expectedWorkloads,
  releaseKey,
  releasePlace,
  releaseUpgrade,
  type PodExtras,
  type ReleaseRequest,
} from './release-upgrade.js'

/** As Runtime.deploy, with what it made. */
export interface DeployedRelease extends Deployed {
  readonly expected: readonly ExpectedObject[]
}

export interface ReleaseDeployer {
  /** @throws DevloopError release/*, tool/*, cluster/*, devloopfile/invalid */
  deploy(request: ReleaseRequest, signal: AbortSignal): Promise<DeployedRelease>
  /** Uninstall the release of a resource, if it has one. @returns what is gone, for people @throws DevloopError as `deploy` */
  remove(resource: string, signal: AbortSignal, how?: ReleaseRemoval): Promise<readonly string[]>
}

interface ReleaseRemoval extends RemoveOptions {
  /** devloop applies the same objects itself next, so that nothing may say any more that they are Helm's. */
  readonly handOver?: true
}

/** For the hooks of a release whose resource has left the Devloopfile. Milliseconds. */
const removalTimeoutMs = 300_000

const releaseKind = { apiVersion: 'helm.sh/v1', kind: 'Release', plural: 'releases', namespaced: true } as const

/** How a release stands in the inventory; the cluster serves no such kind. */
const releaseRef = (name: string, namespace: string): ObjectRef => ({ ...releaseKind, name, namespace })

export type ReleaseRef = ObjectRef & { readonly namespace: string }

export const isReleaseRef = (ref: ObjectRef): ref is ReleaseRef =>
  ref.apiVersion === releaseKind.apiVersion && ref.kind === releaseKind.kind

/** @param pull for pods with built images; undefined = none is needed */
export function createReleaseDeployer(
  connection: KubeConnection,
  options: RuntimeOptions,
  inventory: Inventory,
  tool: ReleaseTool,
  pull?: PullSource,
  agent?: AgentParts,
): ReleaseDeployer {
  const kinds = createKindCatalog(connection)
  // Helm gives up on the whole release when one object is refused, so that both are asked beforehand
  const admission = createAgentAdmission(
    connection,
    async (object, path, signal) =>
      (await podRefusal(connection, object, signal)) ?? (await objectRefusal(connection, object, path, signal)),
  )
  const ownerOf = (resource: string): Owner => ({ project: options.project, instance: options.instance, resource, byHelm: true })

  /** The objects of the newest revision, without hooks; undefined when one of them is not there any more. */
  const wholeRelease = async (place: ReleasePlace, signal: AbortSignal): Promise<readonly KubeObject[] | undefined> => {
    const objects = releaseObjects(await tool.manifest(place, false, signal), `The release ${place.name}`)
    try {
      const live = await inParallel(await refsOf(objects, place.namespace, signal), (ref) =>
        readObject(connection, refPath(ref), signal),
      )
      return live.every((one) => one !== undefined) ? objects : undefined
    } catch (error) {
      if (isUnknownKind(error)) return undefined
      throw error
    }
  }

  const refsOf = async (
    objects: readonly KubeObject[],
    namespace: string,
    signal: AbortSignal,
  ): Promise<readonly ObjectRef[]> => {
    const kindOf = await kinds.resolve(
      objects.map((object) => ({ object })),
      signal,
    )
    return objects.map((object) =>
      refOf({ ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? namespace } }, kindOf),
    )
  }

  const uninstall = async (ref: ReleaseRef, owner: Owner, how: ReleaseRemoval): Promise<readonly string[]> => {
    const { name, namespace } = ref
    const state = await readRelease(connection, namespace, name)
    if (!state || !isOwnRelease(state, owner)) return []
    const place: ReleasePlace = { resource: owner.resource, name, namespace, kubeconfig: connection.kubeconfig(), at: undefined }
    const signal = new AbortController().signal
    const objects = releaseObjects(await tool.manifest(place, false, signal), `The release ${name}`)
    const placed = (some: readonly KubeObject[]): Promise<readonly ObjectRef[]> =>
      refsOf(some, namespace, signal).catch((error: unknown) => {
        if (isUnknownKind(error)) return []
        throw error
      })
    const kept = await placed(objects.filter(isKept))
    const going = how.wait ? await placed(objects.filter((object) => !isKept(object))) : []
    const before = await inParallel(going, async (one) => [refPath(one), await readObject(connection, refPath(one))] as const)
    await tool.uninstall({ ...place, wait: how.wait ?? false, timeoutMs: removalTimeoutMs })
    // Helm's own waiting may end while something is still on its way out
    await inParallel(before, async ([path, live]) => (live ? waitUntilGone(connection, path, live) : undefined))
    await inParallel(kept, async (one) => {
      if (!(await readObject(connection, refPath(one)))) return
      await letGo(connection, refPath(one), how.handOver ? undefined : 'Helm')
      how.onKept?.({ object: `${one.kind.toLowerCase()}/${one.name}`, why: 'it holds what would be lost with it' })
    })
    return [`release/${name}`]
  }

  /** What was applied for the resource and is not of this release: it may hold objects of the same names. */
  const removeStale = async (stale: readonly ObjectRef[], place: ReleasePlace, owner: Owner): Promise<void> => {
    for (const ref of stale) if (isReleaseRef(ref)) await uninstall(ref, owner, { wait: true })
    const applied = stale.filter((ref) => !isReleaseRef(ref))
    const giveToHelm = async ({ object }: KeptObject): Promise<void> => {
      const ref = applied.find((one) => object === `${one.kind.toLowerCase()}/${one.name}`)
      if (ref) await markAsHelms(connection, ref, place)
    }
    const given: Promise<void>[] = []
    await removeObjects(connection, applied, owner, undefined, {
      wait: true,
      onKept: (kept) => void given.push(giveToHelm(kept)),
    })
    await Promise.all(given)
  }

  /** Answered by the cluster with the same words as the first object of the release would be. */
  const ensureNamespace = (namespace: string): Promise<unknown> =>
    inNamespace(connection, namespace, () =>
      connection.request('POST', `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`, {
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'devloop-' } },
        query: { dryRun: 'All' },
        what: `write into namespace ${namespace}`,
      }),
    )

  /** Why the pods of a release that is to be upgraded must do without the agent; undefined = they need not. */
  const agentRefusal = async (request: ReleaseRequest, extras: PodExtras, signal: AbortSignal): Promise<string | undefined> => {
    const { resource: spec } = request
    const { namespace } = releasePlace(connection, spec)
    const finished = (given: PodExtras): readonly RenderedObject[] => {
      try {
        return expectedWorkloads(connection, ownerOf(spec.name), request, given)
      } catch (error) {
        // told where Helm hands over what it really installs
        if (isDevloopError(error) && error.code === 'devloopfile/invalid') return []
        throw error
      }
    }
    const plain = finished({ ...extras, agentOf: () => undefined })
    const put = finished(extras).flatMap((rendered, index) =>
      rendered.agent === 'put' ? [{ rendered, plain: plain[index] as RenderedObject }] : [],
    )
    const refs = await refsOf(
      put.map(({ rendered }) => rendered.object),
      namespace,
      signal,
    )
    const targets = put.map(({ rendered }, index) => ({ rendered, path: refPath(refs[index] as ObjectRef), live: undefined }))
    return admission.refusal(targets, () => Promise.resolve(put.map((one) => one.plain)), signal)
  }

  return {
    async deploy(request, signal) {
      signal.throwIfAborted()
      const { resource: spec, images } = request
      const owner = ownerOf(spec.name)
      const place = releasePlace(connection, spec)
      const { name, namespace } = place
      const config = Object.keys(images).length > 0 ? await pull?.config?.(spec.name, signal) : undefined
      const pullNames = [...(pull?.names ?? []), ...(config === undefined ? [] : [pullSecretName(spec.name)])]
      const known = agent?.refused.get(spec.name)
      const agentOf = await agentsOf(known === undefined ? agent?.source : withoutAgent(known), request)
      let extras: PodExtras = { pullNames, agentOf }
      let key = ''
      const [recorded, state] = await Promise.all([
        inventory.read(signal),
        readRelease(connection, namespace, name, signal),
        releaseKey(tool, request, extras).then((made) => (key = made)),
      ])
      if (state) checkState(state, place, owner)
      if (!state || !isUpToDate(state, key)) {
        // nobody can say what a namespace admits that is not there
        if (!state) await ensureNamespace(namespace)
        const refusal = await agentRefusal(request, extras, signal)
        if (refusal !== undefined) {
          const why = `the cluster refuses it: ${refusal}`
          agent?.refused.set(spec.name, why)
          extras = { pullNames, agentOf: await agentsOf(withoutAgent(why), request) }
          key = await releaseKey(tool, request, extras)
        }
      }
      const secrets = config === undefined ? [] : pullSecrets(owner, podNamespaces(spec, namespace), config, spec.at)
      options.onSecrets?.(secretValues(secrets.map(({ object }) => object)))
      const kindOf = await kinds.resolve(secrets, signal)
      const secretRefs = secrets.map(({ object }) => refOf(object, kindOf))
      const targets = await lookAt(connection, secrets, secretRefs, owner, signal)
      const refs = [releaseRef(name, namespace), ...secretRefs]
      const before = recorded.get(spec.name) ?? []
      const stale = before.filter((ref) => !refs.some((wanted) => sameRef(ref, wanted)))
      const unchanged = state !== undefined && isUpToDate(state, key) && stale.length === 0
      const whole = unchanged ? await wholeRelease(place, signal) : undefined
      signal.throwIfAborted()

      // from here on it is written down what may be left behind
      if (refs.some((ref) => !before.some((known) => sameRef(ref, known)))) await inventory.write(spec.name, [...refs, ...stale])
      await inParallel(targets, (target) => applyObject(connection, target))
      if (whole) {
        options.onSecrets?.(secretValues(whole))
        return { objects: [], templates: templatesOf(whole), warnings: [], expected: expectedOf(whole, namespace) }
      }
      if (stale.length > 0) await removeStale(stale, place, owner)
      if (!state) await ensureNamespace(namespace)
      let finished: FinishedRelease | undefined
      const upgrade = releaseUpgrade(connection, owner, request, extras, key, (result) => {
        finished = result
        // its pods may run, and be written to, long before its hooks are over; it never rejects
        void agent?.notes.set(spec.name, result.lacking)
        options.onSecrets?.(secretValues(result.objects))
      })
      try {
        await tool.upgrade(upgrade, signal)
      } catch (thrown) {
        if (!isDevloopError(thrown) || thrown.code !== 'release/failed') throw thrown
        const said = await failedHooks(
          connection,
          spec.objects.map(({ object }) => object),
          namespace,
        )
        if (said === '') throw thrown
        const { code, message, why, ...rest } = thrown.info
        throw new DevloopError(code, message, { ...rest, why: [why, said].filter(Boolean).join('\n') })
      }
      if (stale.length > 0) await inventory.write(spec.name, refs)
      const made = finished?.objects ?? []
      return {
        objects: [`release/${name}`, ...made.map(objectName)],
        templates: finished?.templates ?? [],
        warnings: finished?.warnings ?? [],
        expected: expectedOf(made, namespace),
      }
    },
    async remove(resource, signal, how = {}) {
      const refs = (await inventory.read(signal)).get(resource) ?? []
      const releases = refs.filter(isReleaseRef)
      if (releases.length === 0) return []
      signal.throwIfAborted()
      const removed: string[] = []
      for (const ref of releases) removed.push(...(await uninstall(ref, ownerOf(resource), how)))
      await inventory.write(
        resource,
        refs.filter((ref) => !isReleaseRef(ref)),
      )
      return removed
    },
  }
}

/** A kind that the cluster does not know any more. */
export const isUnknownKind = (error: unknown): boolean => isDevloopError(error) && error.code === 'cluster/invalid'

/** Mark an object that was kept, so that Helm takes it for one of its release instead of refusing to touch it. */
async function markAsHelms(connection: KubeConnection, ref: ObjectRef, { name, namespace }: ReleasePlace): Promise<void> {
  const annotations = { 'meta.helm.sh/release-name': name, 'meta.helm.sh/release-namespace': namespace }
  await connection.request('PATCH', refPath(ref), {
    body: { metadata: { labels: { [managedByLabel]: 'Helm' }, annotations } },
    contentType: 'application/merge-patch+json',
    query: { fieldManager },
  })
}

/** @throws DevloopError release/taken, release/pending */
function checkState({ status, labels, revision }: ReleaseState, { name, namespace, at }: ReleasePlace, owner: Owner): void {
  if (!isOwnRelease({ status, labels, revision }, owner)) {
    const [project, instance, resource] = [labels[projectLabel], labels[instanceLabel], labels[resourceLabel]]
    const why =
      project === undefined
        ? 'devloop did not make it.'
        : `It is of resource ${resource} of project ${project}${project === owner.project && instance !== owner.instance ? ', of another working copy' : ''}.`
    const help = `Give the release another name or namespace, or uninstall that one: \`helm uninstall ${name} -n ${namespace}\`.`
    throw new DevloopError('release/taken', `There is a release ${name} in namespace ${namespace} already.`, {
      why,
      where: at,
      help,
    })
  }
  if (!/^pending-|^uninstalling$/.test(status)) return
  const back = status === 'pending-upgrade' || status === 'pending-rollback' ? 'rollback' : 'uninstall'
  throw new DevloopError('release/pending', `The release ${name} is not done: its revision ${revision} is ${status}.`, {
    why: 'Helm is still at work on it, or was ended in the middle.',
    where: at,
    help: `Wait until it is done. If nobody is at work on it, run \`helm ${back} ${name} -n ${namespace}\`; devloop then goes on by itself.`,
  })
}

/** Namespaces that the pods of a chart run in. */
const podNamespaces = (spec: ReleaseSpec, namespace: string): readonly string[] =>
  spec.objects.flatMap(({ object }) => (podBearing(object) ? [object.metadata.namespace ?? namespace] : []))

export const expectedOf = (objects: readonly KubeObject[], namespace: string): readonly ExpectedObject[] =>
  objects.flatMap((object) =>
    isHook(object) ? [] : [{ kind: object.kind, namespace: object.metadata.namespace ?? namespace, name: object.metadata.name }],
  )

/** The ids that the pod templates of finished objects carry. */
const templatesOf = (objects: readonly KubeObject[]): readonly string[] => [
  ...new Set(objects.flatMap((object) => podBearing(object)?.template.metadata?.labels?.[templateLabel] ?? [])),
]
