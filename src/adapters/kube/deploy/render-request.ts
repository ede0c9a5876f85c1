// From what is to be deployed to finished objects: the same for applying, and for showing what would be applied.
import type { DeployRequest, RuntimeOptions } from '../../../ports/runtime.js'
import type { AppSpec, ManifestsSpec } from '../../../model/plan.js'
import type { AgentSource } from '../agent/agent-supply.js'
import { agentsOf } from '../agent/agents-of.js'
import type { KubeConnection } from '../connection.js'
import { readVolumeFiles } from './app-volumes.js'
import type { KindCatalog, KindLookup } from './kinds.js'
import { pullSecretName, pullSecrets, type PullSource } from './pull-secret.js'
import { renderApp } from './render-app.js'
import { manifestObjects, renderManifests } from './render-manifests.js'
import type { Owner, Rendered } from './rendered.js'
import { generatedNames } from './resolve-text.js'
import { storageFor } from './storage.js'

export interface RequestRenderer {
  readonly connection: KubeConnection
  readonly options: Pick<RuntimeOptions, 'project' | 'instance'>
  readonly kinds: KindCatalog
  /** Pull secrets for pods with built images; undefined = none. */
  readonly pull?: PullSource | undefined
  /** Gives the agent; undefined = nobody gets it. */
  readonly agent?: AgentSource | undefined
  /** Generated values by name: makes those that are missing, or stands in for them. */
  readonly generated: (names: ReadonlySet<string>, signal: AbortSignal) => Promise<Readonly<Record<string, string>>>
}

export type ObjectsRequest = Omit<DeployRequest, 'resource'> & { readonly resource: AppSpec | ManifestsSpec }

/** @throws DevloopError devloopfile/invalid, cluster/* */
export async function renderRequest(
  renderer: RequestRenderer,
  request: ObjectsRequest,
  signal: AbortSignal,
): Promise<{ readonly rendered: Rendered; readonly kindOf: KindLookup; readonly owner: Owner }> {
  const { connection, options, kinds, generated, pull } = renderer
  const { resource, images, restartable, apps } = request
  const owner: Owner = { project: options.project, instance: options.instance, resource: resource.name }
  const usesBuilt = Object.keys(images).length > 0
  const [config, agentOf] = await Promise.all([
    usesBuilt ? pull?.config?.(resource.name, signal) : undefined,
    agentsOf(renderer.agent, request),
  ])
  const names = [...(pull?.names ?? []), ...(config === undefined ? [] : [pullSecretName(resource.name)])]
  const common = { owner, namespace: connection.namespace, images, restartable, agentOf, pullSecrets: names }
  /** With the pull secret where the pods are. */
  const complete = (rendered: Rendered): Rendered => {
    if (config === undefined) return rendered
    const namespaces = rendered.objects.flatMap(({ object, template }) =>
      template === undefined ? [] : [object.metadata.namespace ?? connection.namespace],
    )
    return { ...rendered, objects: [...pullSecrets(owner, namespaces, config, resource.at), ...rendered.objects] }
  }
  if (resource.kind === 'app') {
    const [values, files, storage] = await Promise.all([
      generated(generatedNames(resource), signal),
      readVolumeFiles(resource),
      storageFor(connection, resource, signal),
    ])
    const rendered = complete(renderApp({ ...common, app: resource, apps, generated: values, files, storage }))
    return { rendered, kindOf: await kinds.resolve(rendered.objects, signal), owner }
  }
  const entries = manifestObjects(resource).map(({ object, at }) => ({ object, at: at ?? resource.at }))
  const own = config === undefined ? [] : pullSecrets(owner, [connection.namespace], config, resource.at)
  const kindOf = await kinds.resolve([...entries, ...own], signal)
  return { rendered: complete(renderManifests({ ...common, manifests: resource, kindOf })), kindOf, owner }
}
