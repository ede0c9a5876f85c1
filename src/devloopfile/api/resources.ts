// Resources: what runs and has a status.
import type { ServiceKind } from '../../model/plan.js'
import type { ResourceType } from '../declaration.js'
import { callPosition, type ApiFunction } from './session.js'
import { snapshot } from './snapshot.js'
import { addressText } from './text.js'
import type {
  App,
  AppOptions,
  AttachOptions,
  Attached,
  Custom,
  CustomOptions,
  Endpoint,
  Helm,
  HelmOptions,
  InlineObject,
  Kustomize,
  KustomizeOptions,
  Local,
  LocalOptions,
  Manifests,
  ManifestsOptions,
  Text,
} from './types.js'
import { called, makeValue } from './values.js'

/**
 * An app that devloop writes the Kubernetes objects for: a Deployment, and a Service where it has ports. With `process` it also runs
 * on this machine, without a cluster.
 *
 * @param name lower-case letters, digits and `-`, beginning with a letter: also the name of its Service
 * @example
 * const db = app('db', { image: 'postgres:16', port: 5432, env: { POSTGRES_PASSWORD: generated('db-password') } })
 * const api = app('api', { image: server, ports: { http: 8080 }, forward: { http: 8080 }, needs: [db], env: { DB: db.address } })
 */
export function app<const Port extends string = 'main'>(name: string, options: AppOptions<Port>): App<Port> {
  const made: object = resource('app', name, undefined, options, app, { members: appMembers(name, () => made) })
  return made as App<Port>
}

/**
 * An app that a helper of devloop makes.
 * @param api the helper: positions are those of its calls
 * @param values texts that it has beside its addresses, by name; made when they are asked for
 */
export function serviceApp<T extends App>(
  api: ApiFunction,
  service: ServiceKind,
  name: string,
  options: AppOptions,
  values: (made: T) => Readonly<Record<string, Text>>,
  names: readonly string[],
): T {
  const more = names.map((key): [string, PropertyDescriptor] => [key, { get: () => values(made)[key], enumerable: true }])
  const members = { ...appMembers(name, () => made), ...Object.fromEntries(more) }
  const made: T = resource('app', name, undefined, options, api, { members, service })
  return made
}

/** The address of an app, and those of its single ports. @param made the app, once it is */
export function appMembers(name: string, made: () => object): PropertyDescriptorMap {
  const endpoint = (port: unknown): PropertyDescriptorMap =>
    Object.fromEntries(
      (['address', 'host', 'port'] as const).map((part) => {
        const get = (): unknown => addressText(made(), name, part, port, get)
        return [part, { get, enumerable: true }]
      }),
    )
  const at = (port: string): unknown => Object.freeze(Object.create(null, endpoint(snapshot(port))))
  return { ...endpoint(undefined), at: { value: at } }
}

/**
 * Kubernetes objects of your own: one resource, or with `workloads` one for each workload.
 *
 * @param name lower-case letters, digits and `-`
 * @param source globs of YAML or JSON files, relative to this file, or the objects themselves. A folder means the `.yaml`, `.yml` and
 *   `.json` files directly in it.
 * @example manifests('legacy', 'deploy/*.yaml', { images: [server], forward: { 80: 8080 } })
 */
export function manifests(
  name: string,
  source: string | InlineObject | readonly (string | InlineObject)[],
  options: ManifestsOptions = {},
): Manifests {
  return resource('manifests', name, source, options, manifests)
}

/**
 * Kubernetes objects that a kustomization gives. It is built anew when a file changes that it reads. Needs `kustomize` or `kubectl`.
 *
 * @param name lower-case letters, digits and `-`
 * @param folder folder with the `kustomization.yaml`, relative to this file
 * @example kustomize('shop', 'deploy/overlays/dev', { images: [server], forward: { 80: 8080 } })
 */
export function kustomize(name: string, folder: string, options: KustomizeOptions = {}): Kustomize {
  return resource('kustomize', name, folder, options, kustomize)
}

/**
 * A Helm chart: its templates are rendered and applied like `manifests`, again when a file of the chart or of its values changes. Needs `helm`.
 *
 * @param name lower-case letters, digits and `-`
 * @example
 * helm('shop', { chart: 'charts/shop', values: ['values.dev.yaml', { replicas: 1 }], images: [server] })
 * helm('redis', { chart: 'redis', repo: 'https://charts.example.com', version: '~20.1' })
 */
export function helm(name: string, options: HelmOptions & { address: string }): Helm & Endpoint
export function helm(name: string, options: HelmOptions): Helm
export function helm(name: string, options: HelmOptions): Helm {
  const { address } = Object(options) as HelmOptions
  if (address === undefined) return resource('helm', name, undefined, options, helm)
  const { at: _at, ...members } = appMembers(name, () => made)
  const made: Helm = resource('helm', name, undefined, options, helm, { members })
  return made
}

/**
 * What commands of your own put into the cluster, for tools that devloop does not know.
 *
 * @param name lower-case letters, digits and `-`
 * @example
 * custom('jobs', { apply: 'cdk8s synth -p | kubectl apply -f - -o yaml', delete: 'cdk8s synth -p | kubectl delete -f -', watch: 'src/**', images: [server] })
 */
export function custom(name: string, options: CustomOptions): Custom {
  return resource('custom', name, undefined, options, custom)
}

/**
 * A workload that Helm, Argo CD or somebody else deploys: its state, logs and ports are shown here, and files are synced into a container
 * of its pods. Nothing else of it is changed, and `devloop down` leaves it alone.
 *
 * @param workload `'deployment/NAME'`, or `statefulset`, `daemonset`, `replicaset`, `job` or `pod`
 * @example attach('deployment/web', { context: 'services/web', live: [sync('src', '/app/src')], forward: 8080 })
 */
export function attach(workload: string, options: AttachOptions = {}): Attached {
  const named = typeof options === 'object' && options !== null && 'name' in options ? options.name : undefined
  const name = named ?? (typeof workload === 'string' ? workload.slice(workload.indexOf('/') + 1) : workload)
  return resource('attach', name, workload, options, attach)
}

/**
 * A command on this machine: one that runs to its end (`run`), one that keeps running (`serve`), or both.
 *
 * @param name lower-case letters, digits and `-`
 * @example
 * local('codegen', { run: 'npm run codegen', watch: ['schema/**'] })
 * local('docs', { serve: 'npx vite', port: 5173 })
 */
export function local(name: string, options: LocalOptions): Local {
  return resource('local', name, undefined, options, local)
}

/** A value that stands for a resource. */
export function resource<T>(
  type: ResourceType,
  name: unknown,
  source: unknown,
  options: unknown,
  api: ApiFunction,
  { members = {}, service }: { members?: PropertyDescriptorMap; service?: ServiceKind } = {},
): T {
  const inside = {
    kind: 'resource',
    type,
    name: snapshot(name),
    source: snapshot(source),
    options: snapshot(options),
    ...(service ? { service } : {}),
    at: callPosition(api),
  } as const
  const help =
    type === 'app'
      ? 'Write text`...` and `.address`, `.host` or `.port` behind the app.'
      : type === 'config' || type === 'secret'
        ? "Write text`...` and `.at('KEY')` behind it."
        : 'Use its `.name`.'
  return makeValue(inside, { name: { value: name, enumerable: true }, ...members }, called(service ?? type, name), help)
}
