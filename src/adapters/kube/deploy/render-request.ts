// From what is to be deployed to finished objects: the same for applying, and for showing what would be applied.
import type { DeployRequest, RuntimeOptions } from '../../../ports/runtime.js'
import { mergeValues, type ConfigValues } from '../../../model/config-values.js'
import { holdsSecrets } from '../../../model/config-uses.js'
import type { AppSpec, ConfigSpec, ManifestsSpec } from '../../../model/plan.js'
import type { AgentSource } from '../agent/agent-supply.js'
import { agentsOf } from '../agent/agents-of.js'
import type { KubeConnection } from '../connection.js'
import { readVolumeFiles } from './app-volumes.js'
import type { KindCatalog, KindLookup } from './kinds.js'
import type { FindPlace } from './place.js'
import { pullSecretName, pullSecrets, type PullSource } from './pull-secret.js'
import { renderApp } from './render-app.js'
import { manifestObjects, renderManifests } from './render-manifests.js'
import type { Owner, Rendered } from './rendered.js'
import { generatedNames, resolveText } from './resolve-text.js'
import { configRolls } from './config-rolls.js'
import { hashKeyName } from './generated.js'
import { renderConfig } from './render-config.js'
import type { ReadSecretSource } from './secret-source.js'
import { storageFor } from './storage.js'

export interface RequestRenderer {
  readonly connection: KubeConnection
  readonly options: Pick<RuntimeOptions, 'project' | 'instance'>
  readonly kinds: KindCatalog
  /** Pull secrets for pods with built images; undefined = none. */
  readonly pull?: PullSource | undefined
  /** Gives the agent; undefined = nobody gets it. */
  readonly agent?: AgentSource | undefined
  /** What matters of cluster and namespace for an app. */
  readonly placeOf: FindPlace
  /** Generated values by name: makes those that are missing, or stands in for them. */
  readonly generated: (names: ReadonlySet<string>, signal: AbortSignal) => Promise<Readonly<Record<string, string>>>
  /** Values of the configs that were deployed. */
  readonly configs: ReadonlyMap<string, ConfigValues>
  readonly secretSource: ReadSecretSource
}

export type ObjectsRequest = Omit<DeployRequest, 'resource'> & { readonly resource: AppSpec | ConfigSpec | ManifestsSpec }

export interface RenderedRequest {
  readonly rendered: Rendered
  readonly kindOf: KindLookup
  readonly owner: Owner
  /** Of a config. */
  readonly values?: ConfigValues
}

/** @throws DevloopError devloopfile/invalid, config/*, cluster/* */
export async function renderRequest(
  renderer: RequestRenderer,
  request: ObjectsRequest,
  signal: AbortSignal,
): Promise<RenderedRequest> {
  const { connection, options, kinds, generated, pull, placeOf } = renderer
  const { resource, images, restartable, apps } = request
  const owner: Owner = { project: options.project, instance: options.instance, resource: resource.name }
  const usesBuilt = Object.keys(images).length > 0
  const [config, agentOf] = await Promise.all([
    usesBuilt ? pull?.config?.(resource.name, signal) : undefined,
    resource.kind === 'config' ? undefined : agentsOf(renderer.agent, { ...request, resource }),
  ])
  const names = [...(pull?.names ?? []), ...(config === undefined ? [] : [pullSecretName(resource.name)])]
  const common = {
    owner,
    namespace: connection.namespace,
    images,
    restartable,
    ...(agentOf ? { agentOf } : {}),
    pullSecrets: names,
  }
  /** With the pull secret where the pods are. */
  const complete = (rendered: Rendered): Rendered => {
    if (config === undefined) return rendered
    const namespaces = rendered.objects.flatMap(({ object, template }) =>
      template === undefined ? [] : [object.metadata.namespace ?? connection.namespace],
    )
    return { ...rendered, objects: [...pullSecrets(owner, namespaces, config, resource.at), ...rendered.objects] }
  }
  const configsByName = (config: string): ConfigValues | undefined => renderer.configs.get(config)
  if (resource.kind === 'config') {
    const rendered = await configObject(renderer, { ...request, resource }, owner, signal)
    return { ...rendered, kindOf: await kinds.resolve(rendered.rendered.objects, signal), owner }
  }
  if (resource.kind === 'app') {
    const hashed = holdsSecrets(resource) ? [hashKeyName] : []
    const [values, files, storage, place] = await Promise.all([
      generated(new Set([...generatedNames(resource), ...hashed]), signal),
      readVolumeFiles(resource),
      storageFor(connection, resource, signal),
      placeOf(resource),
    ])
    signal.throwIfAborted()
    const rendered = complete(
      renderApp({
        ...common,
        app: resource,
        apps,
        generated: values,
        configs: configsByName,
        sealed: request.sealed ?? {},
        hashKey: values[hashKeyName] ?? '',
        files,
        storage,
        place,
      }),
    )
    return { rendered, kindOf: await kinds.resolve(rendered.objects, signal), owner }
  }
  const entries = manifestObjects(resource).map(({ object, at }) => ({ object, at: at ?? resource.at }))
  const own = config === undefined ? [] : pullSecrets(owner, [connection.namespace], config, resource.at)
  const kindOf = await kinds.resolve([...entries, ...own], signal)
  const rollOf = await configRolls(renderer, entries, signal)
  return { rendered: complete(renderManifests({ ...common, manifests: resource, kindOf, rollOf })), kindOf, owner }
}

async function configObject(
  { connection, configs, generated, secretSource }: RequestRenderer,
  { resource, apps, read = [], sealed = {} }: ObjectsRequest & { readonly resource: ConfigSpec },
  owner: Owner,
  signal: AbortSignal,
): Promise<{ readonly rendered: Rendered; readonly values: ConfigValues }> {
  const sources = resource.sources.filter((source) => source.kind === 'secret')
  const [texts, ...secrets] = await Promise.all([
    generated(generatedNames(resource), signal),
    ...sources.map((source) => secretSource(resource, source, signal)),
  ])
  const context = {
    apps,
    generated: texts,
    configs: (name: string) => configs.get(name),
    sealed,
    who: resource.name,
    at: resource.at,
  }
  const values = mergeValues(resource, read, {
    text: (text) => resolveText(text, context),
    secret: (source) => secrets[sources.indexOf(source)] ?? new Map(),
  })
  return { rendered: renderConfig(resource, values, owner, connection.namespace), values }
}
