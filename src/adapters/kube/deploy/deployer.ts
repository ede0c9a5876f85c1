// Deploys resources to the cluster and takes them away again.
import { DevloopError, toErrorInfo } from '../../../errors/devloop-error.js'
import type { Deployed, DeployRequest, Runtime, RuntimeOptions } from '../../../ports/runtime.js'
import type { KubeConnection } from '../connection.js'
import { belongsToOther } from './apply-errors.js'
import { applyObject, type ApplyTarget } from './apply-object.js'
import { isOwn, readObject } from './cluster-objects.js'
import { waitUntilServed } from './definitions.js'
import { readVolumeFiles } from './app-volumes.js'
import { generatedValues } from './generated.js'
import { inParallel } from './in-parallel.js'
import { createInventory, sameRef, type ObjectRef } from './inventory.js'
import { createKindCatalog, type KindLookup } from './kinds.js'
import { instanceLabel, projectLabel } from '../labels.js'
import { byRank } from './ranks.js'
import { refPath, removeObjects } from './remove-objects.js'
import { renderApp } from './render-app.js'
import { manifestObjects, renderManifests } from './render-manifests.js'
import { objectName, type Owner, type Rendered, type RenderedObject } from './rendered.js'
import { generatedNames } from './resolve-text.js'
import { storageFor } from './storage.js'

/** The part of the Kubernetes runtime that writes objects. Asks the cluster for nothing until it is used. */
export function createDeployer(
  connection: KubeConnection,
  options: RuntimeOptions,
): Pick<Runtime, 'deploy' | 'remove' | 'deployed'> {
  const kinds = createKindCatalog(connection)
  const inventory = createInventory(connection, options)
  const ownerOf = (resource: string): Owner => ({ project: options.project, instance: options.instance, resource })

  async function render(request: DeployRequest, signal: AbortSignal): Promise<{ rendered: Rendered; kindOf: KindLookup }> {
    const { resource, images, restartable, apps } = request
    const common = { owner: ownerOf(resource.name), namespace: connection.namespace, images, restartable }
    if (resource.kind === 'app') {
      const [generated, files, storage] = await Promise.all([
        generatedValues(connection, options, generatedNames(resource), signal),
        readVolumeFiles(resource),
        storageFor(connection, resource, signal),
      ])
      const rendered = renderApp({ ...common, app: resource, apps, generated, files, storage })
      return { rendered, kindOf: await kinds.resolve(rendered.objects, signal) }
    }
    const entries = manifestObjects(resource).map(({ object, at }) => ({ object, at: at ?? resource.at }))
    const kindOf = await kinds.resolve(entries, signal)
    return { rendered: renderManifests({ ...common, manifests: resource, kindOf }), kindOf }
  }

  /** Look at what is there before anything is written; refuse what belongs to another working copy. */
  async function look(
    rendered: readonly RenderedObject[],
    refs: readonly ObjectRef[],
    owner: Owner,
    signal: AbortSignal,
  ): Promise<readonly ApplyTarget[]> {
    return await inParallel([...rendered.keys()], async (index) => {
      const item = rendered[index] as RenderedObject
      const path = refPath(refs[index] as ObjectRef)
      const live = await readObject(connection, path, signal)
      const labels = live?.metadata.labels
      const claimed = labels?.[projectLabel] !== undefined || labels?.[instanceLabel] !== undefined
      if (live && claimed && !isOwn(live, owner)) throw belongsToOther(item, live)
      return { rendered: item, path, live, owner }
    })
  }

  async function deploy(request: DeployRequest, signal: AbortSignal): Promise<Deployed> {
    signal.throwIfAborted()
    const owner = ownerOf(request.resource.name)
    const { rendered, kindOf } = await render(request, signal)
    const refs = rendered.objects.map(({ object }) => refOf(object, kindOf))
    const [recorded, targets] = await Promise.all([inventory.read(signal), look(rendered.objects, refs, owner, signal)])
    const before = recorded.get(owner.resource) ?? []
    // what is kept for good is not written down: whatever is, is deleted one day
    const own = refs.filter((_ref, index) => !rendered.objects[index]?.keep)
    const stale = before.filter((ref) => !refs.some((wanted) => sameRef(ref, wanted)))
    signal.throwIfAborted()

    // from here on nothing is cut: what is written down first is what may be left behind
    if (own.some((ref) => !before.some((known) => sameRef(ref, known)))) await inventory.write(owner.resource, [...own, ...stale])
    for (const group of byRank(targets, ({ rendered: { object } }) => object)) {
      await inParallel(group, async (target) => {
        await applyObject(connection, target)
        if (target.rendered.object.kind === 'CustomResourceDefinition') await waitUntilServed(connection, target)
      })
    }
    const warnings = [...rendered.warnings]
    if (stale.length > 0) {
      try {
        await removeObjects(connection, stale, owner)
        await inventory.write(owner.resource, own)
      } catch (error) {
        // what is wanted runs; what could not be deleted is still written down for the next deploy
        if (!(error instanceof DevloopError)) throw error
        warnings.push(toErrorInfo(error))
      }
    }
    return {
      objects: rendered.objects.map(({ object }) => objectName(object)),
      templates: [...new Set(rendered.objects.flatMap(({ template }) => template ?? []))],
      warnings,
    }
  }

  return {
    deploy,
    async remove(resource, signal) {
      const refs = (await inventory.read(signal)).get(resource)
      if (!refs) return []
      signal.throwIfAborted()
      const removed = await removeObjects(connection, refs, ownerOf(resource), signal)
      await inventory.write(resource, [])
      return removed
    },
    async deployed(signal) {
      return [...(await inventory.read(signal)).keys()]
    },
  }
}

function refOf(object: RenderedObject['object'], kindOf: KindLookup): ObjectRef {
  const { apiVersion, kind, plural, namespaced } = kindOf(object)
  const { name, namespace } = object.metadata
  return { apiVersion, kind, plural, namespaced, name, ...(namespaced && namespace ? { namespace } : {}) }
}
