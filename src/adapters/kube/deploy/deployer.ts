// Deploys resources to the cluster and takes them away again.
import { randomBytes } from 'node:crypto'
import type { ErrorCode } from '../../../errors/codes.js'
import { DevloopError, isDevloopError, toErrorInfo } from '../../../errors/devloop-error.js'
import type { ConfigValues } from '../../../model/config-values.js'
import type { Deployed, Runtime, RuntimeOptions } from '../../../ports/runtime.js'
import { createAgentAdmission } from '../agent/agent-admission.js'
import { withoutAgent, type AgentParts } from '../agent/agents-of.js'
import type { KubeConnection } from '../connection.js'
import { applyObject, type ApplyTarget } from './apply-object.js'
import { readObject } from './cluster-objects.js'
import { keyedHash } from './content-hash.js'
import { waitUntilServed } from './definitions.js'
import { generatedValues, removeGenerated } from './generated.js'
import { inParallel } from './in-parallel.js'
import { createInventory, sameRef, type Inventory, type ObjectRef } from './inventory.js'
import { createKindCatalog } from './kinds.js'
import { lookAt, refOf } from './look-at.js'
import { createPlaceFinder } from './place.js'
import { removeExpired, removeNamespaces } from './namespaces.js'
import type { PullSource } from './pull-secret.js'
import { byRank } from './ranks.js'
import { removeObjects } from './remove-objects.js'
import { inBase64 } from './render-config.js'
import { renderRequest, type ObjectsRequest, type RequestRenderer } from './render-request.js'
import { lackingAgent, objectName, type Owner, type Rendered } from './rendered.js'
import { readSecretSource, type ReadSecretSource } from './secret-source.js'
import { secretValues } from './secret-values.js'

export interface Deployer extends Pick<Runtime, 'remove' | 'removeShared' | 'deployed' | 'config'> {
  /** As Runtime.deploy, of what is applied object by object. */
  deploy(request: ObjectsRequest, signal: AbortSignal): Promise<Deployed>
}

/** Kinds whose objects take others with them when they are deleted. */
const holdsOthers = new Set(['Namespace', 'CustomResourceDefinition'])

/** What the cluster may refuse an object with because of the agent in it. */
const refusals = new Set<ErrorCode>(['cluster/invalid', 'cluster/forbidden', 'cluster/denied'])

/** What a deploy writes, and what is there of it. */
interface Prepared {
  readonly rendered: Rendered
  readonly refs: readonly ObjectRef[]
  readonly targets: readonly ApplyTarget[]
  /** What is written down of earlier deploys. */
  readonly before: readonly ObjectRef[]
  /** Of a config. */
  readonly values?: ConfigValues
}

/** The part of the Kubernetes runtime that writes objects. Asks the cluster for nothing until it is used. */
export function createDeployer(
  connection: KubeConnection,
  options: RuntimeOptions,
  pull?: PullSource,
  inventory: Inventory = createInventory(connection, options),
  agent?: AgentParts,
  secretSource: ReadSecretSource = (spec, source, signal) => readSecretSource(connection, spec, source, signal),
): Deployer {
  const configs = new Map<string, ConfigValues>()
  /** Of the digests that others are told. */
  const digestKey = randomBytes(32).toString('hex')
  const kinds = createKindCatalog(connection)
  const ownerOf = (resource: string): Owner => ({ project: options.project, instance: options.instance, resource })
  const admission = createAgentAdmission(connection)

  const generated: RequestRenderer['generated'] = async (names, signal) => {
    const values = await generatedValues(connection, options, names, signal)
    options.onSecrets?.(values)
    return values
  }

  const placeOf = createPlaceFinder(connection)
  const renderer: RequestRenderer = {
    connection,
    options,
    kinds,
    generated,
    configs,
    secretSource,
    pull,
    placeOf,
    agent: agent?.source,
  }

  /** @param why the agent must not be in it; undefined = it may */
  async function prepare(given: ObjectsRequest, why: string | undefined, signal: AbortSignal): Promise<Prepared> {
    const source = why === undefined ? renderer : { ...renderer, agent: withoutAgent(why) }
    const { rendered, kindOf, owner, values } = await renderRequest(source, given, signal)
    options.onSecrets?.(secretValues(rendered.objects.map(({ object }) => object)))
    const refs = rendered.objects.map(({ object }) => refOf(object, kindOf))
    const [recorded, targets] = await Promise.all([
      inventory.read(signal),
      lookAt(connection, rendered.objects, refs, owner, signal),
    ])
    return { rendered, refs, targets, before: recorded.get(owner.resource) ?? [], ...(values ? { values } : {}) }
  }

  async function deploy(request: ObjectsRequest, signal: AbortSignal): Promise<Deployed> {
    signal.throwIfAborted()
    const { name } = request.resource
    let why = agent?.refused.get(name)
    let prepared = await prepare(request, why, signal)
    const without = async (): Promise<Prepared> => prepare(request, 'it is not wanted', signal)
    const refusal = await admission.refusal(prepared.targets, async () => (await without()).rendered.objects, signal)
    if (refusal !== undefined) prepared = await leaveOut(refusal, signal)
    signal.throwIfAborted()

    // from here on nothing is cut
    try {
      return await write(name, prepared)
    } catch (error) {
      // what is refused of an object may be the agent in it: a deploy never fails because of that
      if (why !== undefined || !isDevloopError(error) || !prepared.rendered.objects.some((one) => one.agent === 'put'))
        throw error
      if (!refusals.has(error.code)) throw error
      const plain = await leaveOut(error.info.why ?? error.message, new AbortController().signal)
      return await write(name, plain).catch((again: unknown) => {
        agent?.refused.delete(name)
        throw again
      })
    }

    async function leaveOut(reason: string, within: AbortSignal): Promise<Prepared> {
      why = `the cluster refuses it: ${reason}`
      agent?.refused.set(name, why)
      return await prepare(request, why, within)
    }
  }

  async function write(resource: string, { rendered, refs, targets, before, values }: Prepared): Promise<Deployed> {
    const owner = ownerOf(resource)
    const stale = before.filter((ref) => !refs.some((wanted) => sameRef(ref, wanted)))
    // what is written down first is what may be left behind
    if (refs.some((ref) => !before.some((known) => sameRef(ref, known)))) await inventory.write(resource, [...refs, ...stale])
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
        await inventory.write(resource, refs)
      } catch (error) {
        // what is wanted runs; what could not be deleted is still written down for the next deploy
        if (!(error instanceof DevloopError)) throw error
        warnings.push(toErrorInfo(error))
      }
    }
    if (values) configs.set(resource, values)
    else configs.delete(resource)
    await agent?.notes.set(resource, lackingAgent(rendered.objects))
    return {
      objects: rendered.objects.map(({ object }) => objectName(object)),
      templates: [...new Set(rendered.objects.flatMap(({ template }) => template ?? []))],
      ...(values ? { digest: keyedHash(digestKey, inBase64(values)) } : {}),
      warnings,
    }
  }

  return {
    deploy,
    config: (name) => configs.get(name),
    async remove(resource, signal, how) {
      configs.delete(resource)
      const refs = (await inventory.read(signal)).get(resource)
      if (!refs) return []
      signal.throwIfAborted()
      const removed = await removeObjects(connection, refs, ownerOf(resource), signal, how)
      await inventory.write(resource, [])
      return removed
    },
    async removeShared({ generated, namespaces, expired = false }, signal, { onKept } = {}) {
      signal.throwIfAborted()
      if (expired) return removeExpired(connection, Date.now())
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
