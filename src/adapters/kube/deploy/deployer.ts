// Deploys resources to the cluster and takes them away again.
import { DevloopError, toErrorInfo } from '../../../errors/devloop-error.js'
import type { Deployed, Runtime, RuntimeOptions } from '../../../ports/runtime.js'
import type { KubeConnection } from '../connection.js'
import { applyObject } from './apply-object.js'
import { readObject } from './cluster-objects.js'
import { waitUntilServed } from './definitions.js'
import { generatedValues, removeGenerated } from './generated.js'
import { inParallel } from './in-parallel.js'
import { createInventory, sameRef, type Inventory } from './inventory.js'
import { createKindCatalog } from './kinds.js'
import { lookAt, refOf } from './look-at.js'
import { removeNamespaces } from './namespaces.js'
import type { PullSource } from './pull-secret.js'
import { byRank } from './ranks.js'
import { removeObjects } from './remove-objects.js'
import { renderRequest, type ObjectsRequest, type RequestRenderer } from './render-request.js'
import { objectName, type Owner } from './rendered.js'
import { secretValues } from './secret-values.js'

export interface Deployer extends Pick<Runtime, 'remove' | 'removeShared' | 'deployed'> {
  /** As Runtime.deploy, of what is applied object by object. */
  deploy(request: ObjectsRequest, signal: AbortSignal): Promise<Deployed>
}

/** Kinds whose objects take others with them when they are deleted. */
const holdsOthers = new Set(['Namespace', 'CustomResourceDefinition'])

/** The part of the Kubernetes runtime that writes objects. Asks the cluster for nothing until it is used. */
export function createDeployer(
  connection: KubeConnection,
  options: RuntimeOptions,
  pull?: PullSource,
  inventory: Inventory = createInventory(connection, options),
): Deployer {
  const kinds = createKindCatalog(connection)
  const ownerOf = (resource: string): Owner => ({ project: options.project, instance: options.instance, resource })

  const generated: RequestRenderer['generated'] = async (names, signal) => {
    const values = await generatedValues(connection, options, names, signal)
    options.onSecrets?.(values)
    return values
  }

  async function deploy(request: ObjectsRequest, signal: AbortSignal): Promise<Deployed> {
    signal.throwIfAborted()
    const { rendered, kindOf, owner } = await renderRequest({ connection, options, kinds, generated, pull }, request, signal)
    options.onSecrets?.(secretValues(rendered.objects.map(({ object }) => object)))
    const refs = rendered.objects.map(({ object }) => refOf(object, kindOf))
    const [recorded, targets] = await Promise.all([
      inventory.read(signal),
      lookAt(connection, rendered.objects, refs, owner, signal),
    ])
    const before = recorded.get(owner.resource) ?? []
    const stale = before.filter((ref) => !refs.some((wanted) => sameRef(ref, wanted)))
    signal.throwIfAborted()

    // from here on nothing is cut: what is written down first is what may be left behind
    if (refs.some((ref) => !before.some((known) => sameRef(ref, known))))
      await inventory.write(owner.resource, [...refs, ...stale])
    // what was looked at goes with the namespace or definition that it was in
    let anew = false
    for (const group of byRank(targets, ({ rendered: { object } }) => object)) {
      await inParallel(group, async (given) => {
        const target = anew ? { ...given, live: await readObject(connection, given.path) } : given
        await applyObject(connection, target)
        if (target.rendered.object.kind === 'CustomResourceDefinition') await waitUntilServed(connection, target)
      })
      anew ||= group.some(({ live }) => live?.metadata.deletionTimestamp !== undefined && holdsOthers.has(live.kind))
    }
    const warnings = [...rendered.warnings]
    if (stale.length > 0) {
      try {
        await removeObjects(connection, stale, owner)
        await inventory.write(owner.resource, refs)
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
    async remove(resource, signal, how) {
      const refs = (await inventory.read(signal)).get(resource)
      if (!refs) return []
      signal.throwIfAborted()
      const removed = await removeObjects(connection, refs, ownerOf(resource), signal, how)
      await inventory.write(resource, [])
      return removed
    },
    async removeShared({ generated, namespaces }, signal, { onKept } = {}) {
      signal.throwIfAborted()
      const removed = await removeNamespaces(connection, namespaces ? 'delete' : 'look', onKept)
      const secret = await removeGenerated(connection, options, generated ? 'delete' : 'look')
      if (secret === undefined) return removed
      if (generated) return [...removed, secret]
      onKept?.({ object: secret, why: 'it holds the generated values, for data that was kept (--delete-generated deletes it)' })
      return removed
    },
    async deployed(signal) {
      return [...(await inventory.read(signal)).keys()]
    },
  }
}
