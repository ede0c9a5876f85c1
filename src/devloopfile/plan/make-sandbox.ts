// What a namespace is given that devloop makes, and the tenant that it is made for.
import {
  defaultSandbox,
  fittingDefaults,
  podSecurityLevels,
  tenantLabel,
  type ContainerDefaults,
  type SandboxAccess,
  type SandboxSettings,
  type TenantSettings,
} from '../../model/sandbox.js'
import type { SandboxOptions, TenantOptions } from '../api/types.js'
import type { Encoded } from '../declaration.js'
import { boolean, broken, dnsLabel, integer, options, record, string, strings, wrong, type Subject } from './fields.js'
import { quantity } from './quantity.js'

const known: Record<keyof SandboxOptions, true> = {
  cpu: true,
  memory: true,
  storage: true,
  pods: true,
  quota: true,
  defaults: true,
  network: true,
  podSecurity: true,
  access: true,
  serviceAccount: true,
  pullSecret: true,
  expires: true,
}

const path = 'cluster.sandbox'

/** Ten years. */
const mostHours = 87_600

export function makeSandbox(subject: Subject, value: Encoded): SandboxSettings | undefined {
  if (value === undefined || value === false) return undefined
  if (value === true) return defaultSandbox
  const given = options(subject, path, value, known)
  const quota = makeQuota(subject, given)
  const serviceAccount =
    given.serviceAccount === undefined ? undefined : dnsLabel(subject, `${path}.serviceAccount`, given.serviceAccount)
  const ttl = integer(subject, `${path}.expires`, given.expires, 1, mostHours)
  if (serviceAccount === 'default')
    broken(subject, `\`${path}.serviceAccount\` must not be \`default\`.`, "That one is the cluster's own.", 'Give another name.')
  return {
    quota,
    defaults: fittingDefaults(quota, makeDefaults(subject, given.defaults)),
    network: oneOf(subject, `${path}.network`, given.network, ['isolated', 'open']) ?? defaultSandbox.network,
    podSecurity: oneOf(subject, `${path}.podSecurity`, given.podSecurity, podSecurityLevels) ?? defaultSandbox.podSecurity,
    access: makeAccess(subject, given.access),
    ...(serviceAccount === undefined ? {} : { serviceAccount }),
    pullSecret: boolean(subject, `${path}.pullSecret`, given.pullSecret) ?? defaultSandbox.pullSecret,
    ...(ttl === undefined ? {} : { ttl }),
  }
}

type Given = Partial<Record<keyof SandboxOptions, Encoded>>

function makeQuota(subject: Subject, given: Given): Record<string, string> {
  const [cpu, memory, storage] = (['cpu', 'memory', 'storage'] as const).map((key) =>
    quantity(subject, `${path}.${key}`, given[key]),
  )
  const pods = integer(subject, `${path}.pods`, given.pods, 0, 1_000_000)
  return {
    ...(cpu === undefined ? {} : { 'requests.cpu': cpu }),
    ...(memory === undefined ? {} : { 'requests.memory': memory, 'limits.memory': memory }),
    ...(storage === undefined ? {} : { 'requests.storage': storage }),
    ...(pods === undefined ? {} : { pods: String(pods) }),
    ...amounts(subject, `${path}.quota`, given.quota),
  }
}

function makeDefaults(subject: Subject, value: Encoded): Partial<ContainerDefaults> {
  if (value === undefined) return {}
  const given = options(subject, `${path}.defaults`, value, { requests: true, limits: true })
  return {
    requests: amounts(subject, `${path}.defaults.requests`, given.requests),
    limits: amounts(subject, `${path}.defaults.limits`, given.limits),
  }
}

/** Quantities by names of Kubernetes' own. Plain numbers are taken too: counts mostly are. */
function amounts(subject: Subject, where: string, value: Encoded): Record<string, string> {
  if (value === undefined) return {}
  const given = record(value)
  if (!given) {
    wrong(subject, where, "an object of Kubernetes quantities, such as { 'requests.cpu': '4' }", value)
    return {}
  }
  const found = Object.entries(given).flatMap(([key, amount]): [string, string][] => {
    const text = quantity(subject, `${where}.${key}`, typeof amount === 'number' ? String(amount) : amount)
    return text === undefined ? [] : [[key, text]]
  })
  return Object.fromEntries(found)
}

function makeAccess(subject: Subject, value: Encoded): SandboxAccess {
  if (value === undefined) return defaultSandbox.access
  const given = options(subject, `${path}.access`, value, { users: true, groups: true, role: true })
  return {
    users: strings(subject, `${path}.access.users`, given.users) ?? [],
    groups: strings(subject, `${path}.access.groups`, given.groups) ?? [],
    role: string(subject, `${path}.access.role`, given.role) ?? defaultSandbox.access.role,
  }
}

function oneOf<T extends string>(subject: Subject, where: string, value: Encoded, all: readonly T[]): T | undefined {
  if (value === undefined) return undefined
  const found = all.find((one) => one === value)
  return found ?? wrong(subject, where, all.map((one) => `'${one}'`).join(' or '), value)
}

const tenantOptions: Record<keyof TenantOptions, true> = { name: true, label: true }

/** Kubernetes' own form of a label's key. */
const labelKey = /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/

export function makeTenant(subject: Subject, value: Encoded): TenantSettings | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string') {
    const name = dnsLabel(subject, 'cluster.tenant', value)
    return name === undefined ? undefined : { name, label: tenantLabel }
  }
  const given = options(subject, 'cluster.tenant', value, tenantOptions)
  const name =
    given.name === undefined
      ? wrong(subject, 'cluster.tenant.name', 'a name', undefined)
      : dnsLabel(subject, 'cluster.tenant.name', given.name)
  const label = string(subject, 'cluster.tenant.label', given.label) ?? tenantLabel
  if (!labelKey.test(label)) wrong(subject, 'cluster.tenant.label', `the key of a label, such as '${tenantLabel}'`, label)
  return name === undefined ? undefined : { name, label }
}
