// What a cluster and a namespace say that decides how an app's objects look. What may not be read is taken as not said.
import type { AppSpec } from '../../../model/plan.js'
import type { KubeConnection } from '../connection.js'
import { statusOf } from '../errors.js'
import type { ExposingKind } from './app-expose.js'
import type { ContainerBounds } from './app-resources.js'

export interface Place {
  /** How apps are exposed there. Default: Ingress. */
  readonly exposing?: ExposingKind
  readonly bounds?: ContainerBounds
  /** Secrets that pods there pull with by default: those of the ServiceAccount that pods have which name none. */
  readonly pullSecrets?: readonly string[]
  /** It admits only pods that meet the "restricted" Pod Security Standard. */
  readonly restricted?: boolean
  /** It gives each namespace users and groups of its own, as OpenShift does, and refuses pods that name another. */
  readonly givesUsers?: boolean
}

/** Asks what matters for an app. @throws DevloopError cluster/* */
export type FindPlace = (app: AppSpec) => Promise<Place>

/** For so many milliseconds what was read is taken as it was: many apps are deployed at once. */
const freshMs = 5_000

/** Reads the namespace of a connection; nothing before it is asked. */
export function createPlaceFinder(connection: KubeConnection, now: () => number = Date.now): FindPlace {
  const inNamespace = `/api/v1/namespaces/${encodeURIComponent(connection.namespace)}`
  const kept = <T>(read: () => Promise<T>): (() => Promise<T>) => {
    let last: { readonly at: number; readonly answer: Promise<T> } | undefined
    return () => {
      if (last && now() - last.at < freshMs) return last.answer
      const answer = read()
      const mine = { at: now(), answer }
      last = mine
      answer.catch(() => {
        if (last === mine) last = undefined
      })
      return answer
    }
  }
  const ask = <T>(path: string, what: string): Promise<T | undefined> => optional<T>(connection, path, what)
  const namespace = kept(async (): Promise<Place> => {
    const [ranges, quotas, account, self] = await Promise.all([
      ask<List<LimitRange>>(`${inNamespace}/limitranges`, 'read the limits of the namespace'),
      ask<List<ResourceQuota>>(`${inNamespace}/resourcequotas`, 'read the quotas of the namespace'),
      ask<Account>(`${inNamespace}/serviceaccounts/default`, 'read the default ServiceAccount'),
      ask<Labelled>(inNamespace, 'read the namespace'),
    ])
    const secrets = (account?.imagePullSecrets ?? []).flatMap(({ name }) => (name ? [name] : []))
    return {
      bounds: boundsOf(ranges?.items ?? [], quotas?.items ?? []),
      ...(secrets.length > 0 ? { pullSecrets: secrets } : {}),
      restricted: self?.metadata?.labels?.['pod-security.kubernetes.io/enforce'] === 'restricted',
    }
  })
  const exposing = kept(() => findExposingKind(connection))
  const givesUsers = kept(
    async () => (await ask('/apis/security.openshift.io/v1', 'look whether the cluster gives users')) !== undefined,
  )
  return async (app) => {
    const [place, kind, given] = await Promise.all([
      namespace(),
      app.expose ? exposing() : undefined,
      app.service ? givesUsers() : false,
    ])
    return { ...place, ...(kind ? { exposing: kind } : {}), ...(given ? { givesUsers: true } : {}) }
  }
}

/** By the groups that the cluster serves. @throws DevloopError cluster/* */
export async function findExposingKind(connection: KubeConnection): Promise<ExposingKind> {
  const routes = await optional(connection, '/apis/route.openshift.io/v1', 'look whether the cluster has Routes')
  return routes === undefined ? 'Ingress' : 'Route'
}

async function optional<T>(connection: KubeConnection, path: string, what: string): Promise<T | undefined> {
  try {
    return (await connection.request('GET', path, { what })) as T
  } catch (error) {
    const code = statusOf(error)?.code
    if (code === 403 || code === 404) return undefined
    throw error
  }
}

/** What all LimitRanges and quotas of a namespace say together: of each amount the first that says it. */
export function boundsOf(ranges: readonly LimitRange[], quotas: readonly ResourceQuota[]): ContainerBounds {
  const bounds: { -readonly [Key in keyof ContainerBounds]: { cpu?: string; memory?: string } } = {}
  const take = (key: keyof ContainerBounds, amounts: Amounts, prefix = ''): void => {
    for (const what of ['cpu', 'memory'] as const) {
      const amount = amounts?.[`${prefix}${what}`]
      if (amount !== undefined) (bounds[key] ??= {})[what] ??= String(amount)
    }
  }
  for (const { spec } of ranges) {
    for (const limit of spec?.limits ?? []) {
      // an app's pod has one container that counts
      if (limit.type !== 'Container' && limit.type !== 'Pod') continue
      take('limits', limit.default)
      take('requests', limit.defaultRequest)
      take('min', limit.min)
      take('max', limit.max)
      take('ratio', limit.maxLimitRequestRatio)
    }
  }
  for (const { spec } of quotas) take('quota', spec?.hard, 'limits.')
  return bounds
}

type Amounts = Readonly<Record<string, string | number>> | undefined

interface List<T> {
  readonly items?: readonly T[]
}

export interface LimitRange {
  readonly spec?: {
    readonly limits?: readonly {
      readonly type: string
      readonly default?: Amounts
      readonly defaultRequest?: Amounts
      readonly min?: Amounts
      readonly max?: Amounts
      readonly maxLimitRequestRatio?: Amounts
    }[]
  }
}

export interface ResourceQuota {
  readonly spec?: { readonly hard?: Amounts }
}

interface Account {
  readonly imagePullSecrets?: readonly { readonly name?: string }[]
}

interface Labelled {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> }
}
