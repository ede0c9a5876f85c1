// What an app's container is promised and what it may use at most: as the Devloopfile says, else as the namespace or devloop does.
import type { PodSettings, ResourceAmounts } from '../../../model/plan.js'
import { amountOf } from '../../../model/quantity.js'

/** What a namespace says of the containers in it, from its LimitRanges and ResourceQuotas. Kubernetes quantities. */
export interface ContainerBounds {
  /** For containers that say none. */
  readonly limits?: ResourceAmounts
  readonly requests?: ResourceAmounts
  readonly min?: ResourceAmounts
  readonly max?: ResourceAmounts
  /** A limit may be so many times the request. */
  readonly ratio?: ResourceAmounts
  /** What the limits of all pods together may come to. */
  readonly quota?: ResourceAmounts
}

/** Little is promised, so that a laptop's cluster takes many apps, and much allowed, so that starts and builds in pods are not throttled. */
const usual = { requests: { cpu: '10m', memory: '32Mi' }, limits: { cpu: '2', memory: '2Gi' } } as const

/** Of a quota, what one app takes at most that says nothing: others, and the second pod of a rollout, must fit too. */
const quotaShare = 1 / 8

/** `resources` of a container: both, for CPU and memory, in any case. What the Devloopfile says is never changed. */
export function resourcesOf(
  { requests = {}, limits = {} }: Pick<PodSettings, 'requests' | 'limits'>,
  bounds: ContainerBounds = {},
): { readonly requests: Required<ResourceAmounts>; readonly limits: Required<ResourceAmounts> } {
  const [cpu, memory] = (['cpu', 'memory'] as const).map((what) => {
    const limit = limits[what] ?? limitOf(what, requests[what], bounds)
    return { limit, request: requests[what] ?? requestOf(what, limit, bounds) }
  }) as [Pair, Pair]
  return { requests: { cpu: cpu.request, memory: memory.request }, limits: { cpu: cpu.limit, memory: memory.limit } }
}

type What = keyof ResourceAmounts
interface Pair {
  readonly limit: string
  readonly request: string
}

function limitOf(what: What, request: string | undefined, { limits, min, max, quota }: ContainerBounds): string {
  let limit = limits?.[what]
  if (limit === undefined) {
    const share = quota?.[what]
    limit = share === undefined ? usual.limits[what] : least(usual.limits[what], written(what, amountOf(share) * quotaShare))
    limit = most(least(limit, max?.[what]), min?.[what])
  }
  return most(limit, request)
}

function requestOf(what: What, limit: string, { requests, min, ratio }: ContainerBounds): string {
  const wanted = most(requests?.[what] ?? usual.requests[what], min?.[what])
  const times = ratio?.[what]
  const near = times === undefined ? wanted : most(wanted, written(what, amountOf(limit) / amountOf(times)))
  return least(near, limit)
}

const least = (one: string, other: string | undefined): string =>
  other !== undefined && amountOf(other) < amountOf(one) ? other : one

const most = (one: string, other: string | undefined): string =>
  other !== undefined && amountOf(other) > amountOf(one) ? other : one

/** Rounded up to whole thousandths of a core, or whole MiB. */
const written = (what: What, amount: number): string =>
  what === 'cpu' ? `${Math.ceil(amount * 1000)}m` : `${Math.ceil(amount / 2 ** 20)}Mi`
