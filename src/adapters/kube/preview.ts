// What would be applied, and what that would change: asked of the cluster by dry runs, with nothing written.
import type { ConfigValues } from '../../model/config-values.js'
import type { ConfigSpec, KubeObject } from '../../model/plan.js'
import type { AgentProgram } from '../../ports/agent-program.js'
import type { ReleaseTool } from '../../ports/release-tool.js'
import type { DeployRequest, RuntimeOptions } from '../../ports/runtime.js'
import { agentImages, pulledAs, type AgentSource } from './agent/agent-supply.js'
import { connectKube } from './connection.js'
import { applyError, isImmutable } from './deploy/apply-errors.js'
import { appliedAnnotation, templateId, templateIsFixed, withHash, type ApplyTarget } from './deploy/apply-object.js'
import { isOwn, readObject, type LiveObject } from './deploy/cluster-objects.js'
import { covers } from './deploy/covers.js'
import { knownGenerated } from './deploy/generated.js'
import { inParallel } from './deploy/in-parallel.js'
import { createInventory, sameRef, type ObjectRef } from './deploy/inventory.js'
import { createKindCatalog } from './deploy/kinds.js'
import { lookAt, refOf } from './deploy/look-at.js'
import { refPath, whyKept } from './deploy/remove-objects.js'
import { createPlaceFinder } from './deploy/place.js'
import { pullSecretKey, pullSecretName, type PullSource } from './deploy/pull-secret.js'
import { renderRequest, type ObjectsRequest } from './deploy/render-request.js'
import { readSecretSource, type ReadSecretSource } from './deploy/secret-source.js'
import { developersNamespace } from './sandbox/resolve-namespace.js'
import { discoverPlatform, discoverRegistry, discoverVersion } from './discovery.js'
import { statusOf } from './errors.js'
import { fieldManager, resourceLabel } from './labels.js'
import { nameOf, type ObjectChange } from './object-change.js'
import { previewReleases } from './release/preview-releases.js'
import { isReleaseRef } from './release/release-deployer.js'
import type { ReleaseRequest } from './release/release-upgrade.js'

export type PreviewRequest = Omit<DeployRequest, 'resource'> & {
  readonly resource: ObjectsRequest['resource'] | ReleaseRequest['resource']
}

export interface KubePreview {
  readonly namespace: string
  /** Of the cluster. */
  readonly version: string | undefined
  /** Exactly what a deploy would send, in no special order; but Secrets with values of a config are without all values. @throws DevloopError devloopfile/invalid, cluster/* */
  render(request: PreviewRequest, signal: AbortSignal): Promise<readonly KubeObject[]>
  /** Have the values of a config ready for those that are rendered after it. @throws DevloopError as `render` */
  learn(request: PreviewRequest & { readonly resource: ConfigSpec }, signal: AbortSignal): Promise<void>
  /** @throws DevloopError as `render`, and as a deploy would */
  diff(request: PreviewRequest, signal: AbortSignal): Promise<readonly ObjectChange[]>
  /** What would be deleted of resources that are deployed and not among these. */
  leaving(resources: ReadonlySet<string>, signal: AbortSignal): Promise<readonly ObjectChange[]>
  close(): void
}

/** What a preview works with beside the cluster. */
export interface PreviewTools {
  readonly releases: ReleaseTool
  /** The agent, which is shown as if its image had been pushed. */
  readonly agent: AgentProgram
}

/** @throws DevloopError cluster/* as connectKube */
export async function openKubePreview(options: RuntimeOptions, tools: PreviewTools, signal: AbortSignal): Promise<KubePreview> {
  const bound = await connectKube(options, signal)
  const { name } = await developersNamespace(bound, options, undefined, signal).catch((thrown: unknown) => {
    bound.close()
    throw thrown
  })
  const connection = bound.withNamespace(name)
  const kinds = createKindCatalog(connection)
  const inventory = createInventory(connection, options)
  const [version, nodes, { registry }] = await Promise.all([
    discoverVersion(connection, signal),
    discoverPlatform(connection, signal),
    discoverRegistry(connection, options.cluster.registry, signal),
  ]).catch((thrown: unknown) => {
    connection.close()
    throw thrown
  })
  const imageOf = agentImages(tools.agent, options.instance)
  const agent: AgentSource = async (platform) => {
    const image = await imageOf(platform ?? nodes)
    return 'why' in image ? image : { ref: pulledAs(image, registry), version: image.version }
  }
  const generated = (names: ReadonlySet<string>, within: AbortSignal) => knownGenerated(connection, options, names, within)
  const placeOf = createPlaceFinder(connection)
  const { pullSecret } = options.cluster
  const configs = new Map<string, ConfigValues>()
  /** Values that are shown to nobody. */
  const secrets: Buffer[] = []
  const secretSource: ReadSecretSource = (spec, source, within) => readSecretSource(connection, spec, source, within)
  const rendered = async (request: ObjectsRequest, within: AbortSignal, config?: PullSource['config']) => {
    const pull = pullSecret && ('names' in pullSecret ? pullSecret : { names: [], config: config ?? hiddenConfig })
    const renderer = { connection, options, kinds, generated, configs, secretSource, pull, placeOf, agent }
    const result = await renderRequest(renderer, request, within)
    const { resource } = request
    if (result.values) configs.set(resource.name, result.values)
    if (result.values && resource.kind === 'config' && resource.secret)
      for (const value of result.values.values()) if (value.length > 0) secrets.push(value)
    return result
  }
  /** Nobody looks up the login for a preview: it is taken as unchanged. */
  const liveConfig = async (resource: string, within: AbortSignal): Promise<string> => {
    const path = `/api/v1/namespaces/${connection.namespace}/secrets/${pullSecretName(resource)}`
    const data = (await readObject(connection, path, within))?.data as Readonly<Record<string, string>> | undefined
    return Buffer.from(data?.[pullSecretKey] ?? '', 'base64').toString('utf8') || hiddenConfig()
  }

  async function changeOf({ rendered: item, path, live, owner }: ApplyTarget): Promise<ObjectChange | undefined> {
    const object = withHash(item.object)
    const name = nameOf(object)
    const own = live !== undefined && isOwn(live, owner)
    if (live && own && templateIsFixed.has(object.kind) && templateId(live) !== item.template)
      return { name, before: live, after: object, anew: true }
    if (live && own && covers(live, object)) return undefined
    try {
      const after = (await connection.request('PATCH', path, {
        body: object,
        contentType: 'application/apply-patch+yaml',
        query: { fieldManager, force: own, fieldValidation: 'Strict', dryRun: 'All' },
        what: `try ${name}`,
      })) as KubeObject
      return { name, ...(live ? { before: live } : {}), after, anew: false }
    } catch (error) {
      // its namespace or its kind comes with the same deploy
      if (!live && statusOf(error)?.code === 404) return { name, after: object, anew: false }
      if (live && own && isImmutable(error)) return { name, before: live, after: object, anew: true }
      throw applyError(error, item)
    }
  }

  /** Of what is not wanted any more, what would really be deleted. */
  async function deletions(refs: readonly ObjectRef[], resource: string, within: AbortSignal): Promise<readonly ObjectChange[]> {
    const live = await inParallel(refs, async (ref) => await readObject(connection, refPath(ref), within))
    const gone = live.filter((one): one is LiveObject => one !== undefined && isOwn(one, options))
    const mine = gone.filter((one) => one.metadata.labels?.[resourceLabel] === resource)
    const going = await inParallel(mine, async (one) => ((await whyKept(connection, one)) === undefined ? one : undefined))
    return going.flatMap((one) => (one ? { name: nameOf(one), before: one, anew: false } : []))
  }

  const releases = previewReleases(connection, options, tools.releases, agent)

  return {
    namespace: connection.namespace,
    version,
    async render({ resource, ...rest }, within) {
      if (resource.kind === 'release') return releases.wanted({ ...rest, resource }, within)
      const request = { ...rest, resource }
      const { rendered: result } = await rendered(request, within)
      return result.objects.map(({ object }) => withoutSecrets(withHash(object), secrets))
    },
    async learn(request, within) {
      await rendered(request, within)
    },
    async diff({ resource, ...rest }, within) {
      if (resource.kind === 'release') return releases.diff({ ...rest, resource }, within)
      const request = { ...rest, resource }
      const { rendered: result, kindOf, owner } = await rendered(request, within, liveConfig)
      const refs = result.objects.map(({ object }) => refOf(object, kindOf))
      const [recorded, targets] = await Promise.all([
        inventory.read(within),
        lookAt(connection, result.objects, refs, owner, within),
      ])
      const stale = (recorded.get(owner.resource) ?? []).filter((ref) => !refs.some((wanted) => sameRef(ref, wanted)))
      const changes = await inParallel(targets, changeOf)
      return [...changes.flatMap((change) => change ?? []), ...(await deletions(stale, owner.resource, within))]
    },
    async leaving(resources, within) {
      const recorded = [...(await inventory.read(within))].filter(([name]) => !resources.has(name))
      const going = recorded.map(async ([name, refs]) => [
        ...(await deletions(
          refs.filter((ref) => !isReleaseRef(ref)),
          name,
          within,
        )),
        ...(await releases.leaving(refs.filter(isReleaseRef), name, within)),
      ])
      return (await Promise.all(going)).flat()
    },
    close: () => connection.close(),
  }
}

/** Stands for a login that is not shown. */
const hiddenConfig = (): Promise<string> => Promise.resolve(JSON.stringify({ auths: {} }))

/** Applied as it is then, it leaves the values in the cluster as they are. */
function withoutSecrets(object: KubeObject, secrets: readonly Buffer[]): KubeObject {
  if (object.kind !== 'Secret') return object
  const values = Object.values((object.data ?? {}) as Readonly<Record<string, string>>).map((value) =>
    Buffer.from(value, 'base64'),
  )
  if (!values.some((value) => secrets.some((secret) => value.includes(secret)))) return object
  const { data: _data, metadata, ...rest } = object
  const { [appliedAnnotation]: _hash, ...annotations } = metadata.annotations ?? {}
  return { ...rest, metadata: { ...metadata, annotations } } as KubeObject
}
