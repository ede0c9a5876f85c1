// How exposed apps are reached from outside: what Routes and Ingresses say, told with what else is observed of the app.
import { DevloopError, type ErrorInfo } from '../../errors/devloop-error.js'
import type { KubeObject } from '../../model/plan.js'
import type { Observed, RuntimeOptions } from '../../ports/runtime.js'
import type { KubeConnection } from './connection.js'
import { exposingKinds, type ExposingKind } from './deploy/app-expose.js'
import { ownedSelector, resourceLabel } from './labels.js'
import type { Condition } from './observe-shapes.js'
import { watchList } from './watch.js'

export interface ExposedWatch {
  /** Passes observations on, with how the resource is reached. Once. */
  readonly through: (onObserved: (observed: Observed) => void) => (observed: Observed) => void
  /** A resource was deployed with these objects, by names such as `route/api`. */
  readonly deployed: (objects: readonly string[]) => void
}

const plurals: Readonly<Record<ExposingKind, string>> = { Route: 'routes', Ingress: 'ingresses' }

/** Nothing is watched before something was exposed. */
export function watchExposed(
  connection: KubeConnection,
  options: Pick<RuntimeOptions, 'project' | 'instance'>,
  life: AbortSignal,
): ExposedWatch {
  const watched = new Set<ExposingKind>()
  /** By resource. */
  const last = new Map<string, Observed>()
  const found = new Map<string, Exposed>()
  let passOn: (observed: Observed) => void = () => undefined
  const tell = (observed: Observed): void => {
    const exposed = found.get(observed.resource)
    passOn(exposed ? { ...observed, exposed } : observed)
  }
  const set = (object: ExposingObject, exposed: Exposed | undefined): void => {
    const resource = object.metadata.labels?.[resourceLabel] ?? ''
    if (JSON.stringify(found.get(resource)) === JSON.stringify(exposed)) return
    if (exposed) found.set(resource, exposed)
    else found.delete(resource)
    const observed = last.get(resource)
    if (observed && !life.aborted) tell(observed)
  }
  const watch = (kind: ExposingKind): void => {
    watched.add(kind)
    let listed: readonly ExposingObject[] = []
    const { namespace } = connection
    void watchList<ExposingObject>(
      connection,
      {
        path: `/apis/${exposingKinds[kind].apiVersion}/namespaces/${encodeURIComponent(namespace)}/${plurals[kind]}`,
        labelSelector: ownedSelector(options),
        what: `watch ${plurals[kind]} in ${namespace}`,
        onList(items) {
          const names = new Set(items.map(({ metadata }) => metadata.name))
          for (const gone of listed) if (!names.has(gone.metadata.name)) set(gone, undefined)
          listed = items
          for (const item of items) set(item, exposedBy(kind, item))
        },
        onChange(type, object) {
          listed = [...listed.filter(({ metadata }) => metadata.name !== object.metadata.name), object]
          set(object, type === 'DELETED' ? undefined : exposedBy(kind, object))
        },
        // who may not watch them has the app all the same; that pods are not seen any more is told by their own watch
        onLost: () => undefined,
      },
      life,
    )
  }
  return {
    through(onObserved) {
      passOn = onObserved
      return (observed) => {
        last.set(observed.resource, observed)
        tell(observed)
      }
    },
    deployed(objects) {
      for (const kind of ['Route', 'Ingress'] as const)
        if (!watched.has(kind) && objects.some((name) => name.startsWith(`${kind.toLowerCase()}/`))) watch(kind)
    },
  }
}

type Exposed = NonNullable<Observed['exposed']>

/** What one of these objects says; undefined while it has no address. Pure. */
export const exposedBy = (kind: ExposingKind, object: ExposingObject): Exposed | undefined =>
  kind === 'Route' ? byRoute(object) : byIngress(object)

function byRoute({ metadata, spec = {}, status = {} }: ExposingObject): Exposed | undefined {
  const routers = (status.ingress ?? []).filter(({ host }) => host)
  const condition = (router: Router): Condition | undefined => router.conditions?.find(({ type }) => type === 'Admitted')
  const admitted = routers.find((router) => condition(router)?.status === 'True')
  const refused = routers.find((router) => condition(router)?.status === 'False')
  const router = admitted ?? refused ?? routers[0]
  if (!router?.host) return undefined
  const url = urlOf(spec.tls !== undefined, router.host, spec.path ?? '/')
  if (admitted) return { kind: 'route', url, state: 'listening' }
  if (!refused) return { kind: 'route', url, state: 'waiting' }
  return { kind: 'route', url, state: 'failed', error: notAdmitted(metadata.name, condition(refused)) }
}

const notAdmitted = (name: string, condition: Condition | undefined): ErrorInfo =>
  new DevloopError('app/not-admitted', `The cluster's router does not admit route/${name}.`, {
    why: [condition?.reason, condition?.message].filter(Boolean).join(': ') || undefined,
  }).info

function byIngress({ spec = {}, status = {} }: ExposingObject): Exposed | undefined {
  const [rule] = spec.rules ?? []
  const taken = status.loadBalancer?.ingress?.[0]
  const host = rule?.host ?? taken?.hostname ?? taken?.ip
  if (host === undefined) return undefined
  const url = urlOf(spec.tls !== undefined, host, rule?.http?.paths?.[0]?.path ?? '/')
  return { kind: 'ingress', url, state: taken ? 'listening' : 'waiting' }
}

const urlOf = (tls: boolean, host: string, path: string): string =>
  `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}${path === '/' ? '' : path}`

interface Router {
  readonly host?: string
  readonly conditions?: readonly Condition[]
}

/** A Route or an Ingress, as far as it is read. */
export interface ExposingObject extends Pick<KubeObject, 'metadata'> {
  readonly spec?: {
    readonly path?: string
    readonly tls?: unknown
    readonly rules?: readonly {
      readonly host?: string
      readonly http?: { readonly paths?: readonly { readonly path?: string }[] }
    }[]
  }
  readonly status?: {
    readonly ingress?: readonly Router[]
    readonly loadBalancer?: { readonly ingress?: readonly { readonly hostname?: string; readonly ip?: string }[] }
  }
}
