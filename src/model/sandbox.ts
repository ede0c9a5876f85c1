// What a developer's namespace holds and how it is named: settings and names. Pure.
import { createHash } from 'node:crypto'
import { amountOf } from './quantity.js'

/** Levels of Pod Security admission, https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
export const podSecurityLevels = ['privileged', 'baseline', 'restricted'] as const
export type PodSecurityLevel = (typeof podSecurityLevels)[number]

/** What a namespace that devloop makes is given. Complete: every default is filled in. */
export interface SandboxSettings {
  /** `spec.hard` of its ResourceQuota, by Kubernetes' own keys; empty = it has none. */
  readonly quota: Readonly<Record<string, string>>
  /** What its LimitRange gives to containers that say nothing, by `cpu`, `memory` and the like; both empty = it has none. */
  readonly defaults: ContainerDefaults
  /** `isolated`: no pod of another developer's namespace reaches its pods, where the network plugin enforces policies. */
  readonly network: 'isolated' | 'open'
  /** What pods must keep to. Those that do not keep to `restricted` are warned of in any case. */
  readonly podSecurity: PodSecurityLevel
  /** Who may work in it, beside its owner. */
  readonly access: SandboxAccess
  /** A ServiceAccount without rights and without a mounted token; undefined = none is made. */
  readonly serviceAccount?: string
  /** Whether pods that name no other account pull with the login of the registry, which is then kept in a Secret. */
  readonly pullSecret: boolean
  /** Hours after the last use at which it may be deleted; undefined = never. */
  readonly ttl?: number
}

export interface ContainerDefaults {
  readonly requests: Readonly<Record<string, string>>
  readonly limits: Readonly<Record<string, string>>
}

export interface SandboxAccess {
  readonly users: readonly string[]
  readonly groups: readonly string[]
  /** Name of the ClusterRole that these and the owner get in the namespace. */
  readonly role: string
}

/** The tenant of a Multi Tenant Operator that namespaces are made for. */
export interface TenantSettings {
  readonly name: string
  /** Key of the label that says so. */
  readonly label: string
}

/** As the operator's examples, its webhook and its selectors have it. */
export const tenantLabel = 'stakater.com/tenant'

/** The settings of a sandbox of which nothing is said. */
export const defaultSandbox: SandboxSettings = {
  quota: {},
  defaults: { requests: {}, limits: {} },
  network: 'isolated',
  podSecurity: 'baseline',
  access: { users: [], groups: [], role: 'edit' },
  pullSecret: false,
}

/** What containers get that say nothing, of what a quota counts: with such a quota they would be refused. */
const usual: ContainerDefaults = { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '1', memory: '512Mi' } }

/**
 * Defaults for containers that fit to a quota: what it counts has one, and none is larger than the quota itself, or a request larger
 * than the limit, both of which the cluster would refuse.
 */
export function fittingDefaults(quota: Readonly<Record<string, string>>, given: Partial<ContainerDefaults>): ContainerDefaults {
  const counted = (kind: 'requests' | 'limits', name: string): string | undefined =>
    quota[`${kind}.${name}`] ?? (kind === 'requests' ? quota[name] : undefined)
  const names = ['cpu', 'memory'] as const
  const filled = (kind: 'requests' | 'limits'): Record<string, string> => {
    const result: Record<string, string> = {}
    for (const name of names) {
      const most = counted(kind, name)
      const fits = usual[kind][name]
      if (most !== undefined && fits !== undefined) result[name] = smaller(fits, most)
    }
    return { ...result, ...given[kind] }
  }
  const limits = filled('limits')
  const requests = Object.fromEntries(
    Object.entries(filled('requests')).map(([name, amount]) => {
      const limit = limits[name]
      return [name, limit === undefined || given.requests?.[name] !== undefined ? amount : smaller(amount, limit)]
    }),
  )
  return { requests, limits }
}

const smaller = (a: string, b: string): string => (amountOf(a) <= amountOf(b) ? a : b)

/** Longest name of a namespace, and longest value of a label. */
const longest = 63

/** Digits of the hash that keeps names apart. */
const hashDigits = 6

/**
 * The name of a user in names of namespaces and values of labels: small letters, digits and `-`. Whoever's name is not kept as it is
 * gets a hash of it behind, so that no two users ever have the same: `ann@aurora.org` and `ann-aurora-org` stay apart, and whoever
 * computes it, with whatever rights, comes to the same.
 * @param most characters at most
 */
export function userSlug(user: string, most = longest): string {
  return shortName(user, most)
}

/** The namespace of a user's own for a project; without a project, for all of them: `dev-ann`. */
export const ownNamespace = (user: string, project = 'dev'): string =>
  shortName(`${project}-${user}`, longest, `${slug(project)}-${slug(user)}`)

function shortName(raw: string, most: number, wanted = slug(raw)): string {
  if (wanted === raw && raw.length <= most) return raw
  const hash = createHash('sha256').update(raw).digest('hex').slice(0, hashDigits)
  const room = most - hashDigits - 1
  return [wanted.slice(0, room).replace(/-+$/, ''), hash].filter(Boolean).join('-')
}

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')

/** Whether a namespace is the cluster's own: nobody's sandbox is made there. */
export const isReservedNamespace = (name: string): boolean => /^(?:default$|kube-|openshift(?:-|$))/.test(name)
