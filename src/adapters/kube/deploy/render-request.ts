// From what is to be deployed to finished objects: the same for applying, and for showing what would be applied.
import type { DeployRequest, RuntimeOptions } from '../../../ports/runtime.js'
import type { AppSpec, ManifestsSpec } from '../../../model/plan.js'
import type { KubeConnection } from '../connection.js'
import { readVolumeFiles } from './app-volumes.js'
import type { KindCatalog, KindLookup } from './kinds.js'
import { renderApp } from './render-app.js'
import { manifestObjects, renderManifests } from './render-manifests.js'
import type { Owner, Rendered } from './rendered.js'
import { generatedNames } from './resolve-text.js'
import { storageFor } from './storage.js'

export interface RequestRenderer {
  readonly connection: KubeConnection
  readonly options: Pick<RuntimeOptions, 'project' | 'instance'>
  readonly kinds: KindCatalog
  /** Generated values by name: makes those that are missing, or stands in for them. */
  readonly generated: (names: ReadonlySet<string>, signal: AbortSignal) => Promise<Readonly<Record<string, string>>>
}

export type ObjectsRequest = Omit<DeployRequest, 'resource'> & { readonly resource: AppSpec | ManifestsSpec }

/** @throws DevloopError devloopfile/invalid, cluster/* */
export async function renderRequest(
  { connection, options, kinds, generated }: RequestRenderer,
  request: ObjectsRequest,
  signal: AbortSignal,
): Promise<{ readonly rendered: Rendered; readonly kindOf: KindLookup; readonly owner: Owner }> {
  const { resource, images, restartable, apps } = request
  const owner: Owner = { project: options.project, instance: options.instance, resource: resource.name }
  const common = { owner, namespace: connection.namespace, images, restartable }
  if (resource.kind === 'app') {
    const [values, files, storage] = await Promise.all([
      generated(generatedNames(resource), signal),
      readVolumeFiles(resource),
      storageFor(connection, resource, signal),
    ])
    const rendered = renderApp({ ...common, app: resource, apps, generated: values, files, storage })
    return { rendered, kindOf: await kinds.resolve(rendered.objects, signal), owner }
  }
  const entries = manifestObjects(resource).map(({ object, at }) => ({ object, at: at ?? resource.at }))
  const kindOf = await kinds.resolve(entries, signal)
  return { rendered: renderManifests({ ...common, manifests: resource, kindOf }), kindOf, owner }
}
