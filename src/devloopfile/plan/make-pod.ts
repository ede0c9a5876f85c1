// Settings of an app that only pods have.
import { isIP } from 'node:net'
import type { AppSpec, PodSettings, ResourceAmounts } from '../../model/plan.js'
import type { PodOptions } from '../api/types.js'
import { isMark, type Encoded } from '../declaration.js'
import { broken, dnsLabel, integer, options, record, strings, wrong, type Subject } from './fields.js'
import { flag } from './make-volumes.js'
import { quantity } from './quantity.js'

const known: Record<keyof PodOptions, true> = {
  requests: true,
  limits: true,
  stopTimeout: true,
  hosts: true,
  hostname: true,
  fsGroup: true,
  capabilities: true,
  readOnly: true,
  stdin: true,
  tty: true,
}

export function makePod(subject: Subject, value: Encoded): PodSettings | undefined {
  if (value === undefined) return undefined
  const given = options(subject, 'pod', value, known)
  const requests = makeAmounts(subject, 'pod.requests', given.requests)
  const limits = makeAmounts(subject, 'pod.limits', given.limits)
  const stopTimeout = integer(subject, 'pod.stopTimeout', given.stopTimeout, 0, 86_400)
  const hosts = makeHosts(subject, given.hosts)
  const hostname = given.hostname === undefined ? undefined : dnsLabel(subject, 'pod.hostname', given.hostname)
  const fsGroup = integer(subject, 'pod.fsGroup', given.fsGroup, 0, 2_147_483_647)
  const capabilities = makeCapabilities(subject, given.capabilities)
  return {
    ...(requests ? { requests } : {}),
    ...(limits ? { limits } : {}),
    ...(stopTimeout === undefined ? {} : { stopTimeout }),
    ...(hosts ? { hosts } : {}),
    ...(hostname === undefined ? {} : { hostname }),
    ...(fsGroup === undefined ? {} : { fsGroup }),
    ...(capabilities ? { capabilities } : {}),
    ...(flag(subject, 'pod.readOnly', given.readOnly) ? { readOnly: true } : {}),
    ...(flag(subject, 'pod.stdin', given.stdin) ? { stdin: true } : {}),
    ...(flag(subject, 'pod.tty', given.tty) ? { tty: true } : {}),
  }
}

function makeAmounts(subject: Subject, path: string, value: Encoded): ResourceAmounts | undefined {
  if (value === undefined) return undefined
  const given = options(subject, path, value, { cpu: true, memory: true })
  const [cpu, memory] = [quantity(subject, `${path}.cpu`, given.cpu), quantity(subject, `${path}.memory`, given.memory)]
  return { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) }
}

function makeHosts(subject: Subject, value: Encoded): PodSettings['hosts'] {
  if (value === undefined) return undefined
  const given = isMark(value) ? undefined : record(value)
  if (!given) return wrong(subject, 'pod.hosts', 'an object with IP addresses by host name', value)
  const entries = Object.entries(given).flatMap(([host, ip]) => {
    if (typeof ip === 'string' && isIP(ip) !== 0) return [[host, ip] as const]
    wrong(subject, `pod.hosts.${host}`, 'an IP address', ip ?? null)
    return []
  })
  return Object.fromEntries(entries)
}

function makeCapabilities(subject: Subject, value: Encoded): PodSettings['capabilities'] {
  if (value === undefined) return undefined
  const given = options(subject, 'pod.capabilities', value, { add: true, drop: true })
  const read = (key: 'add' | 'drop'): readonly string[] | undefined =>
    strings(subject, `pod.capabilities.${key}`, given[key])?.map((name) => name.toUpperCase().replace(/^CAP_/, ''))
  const [add, drop] = [read('add'), read('drop')]
  return { ...(add ? { add } : {}), ...(drop ? { drop } : {}) }
}

/** `1000`, `'1000'` or `'1000:1000'`: the kubelet knows no names. */
export function makeUser(subject: Subject, value: Encoded): AppSpec['user'] {
  if (value === undefined) return undefined
  const [, uid, gid] =
    /^(\d{1,10})(?::(\d{1,10}))?$/.exec(typeof value === 'number' ? String(value) : typeof value === 'string' ? value : '') ?? []
  if (uid === undefined) {
    const help =
      typeof value === 'string' ? 'Kubernetes knows no names of users: give the number that the image has for it.' : undefined
    return wrong(subject, 'user', "a user's number, or 'user:group' in numbers", value, help)
  }
  return { uid: Number(uid), ...(gid === undefined ? {} : { gid: Number(gid) }) }
}

/** `true`, or `{ retries }`. */
export function makeJob(subject: Subject, value: Encoded): AppSpec['job'] {
  if (value === undefined || value === false) return undefined
  if (value === true) return { retries: 0 }
  if (isMark(value) || !record(value)) return wrong(subject, 'job', 'true, or { retries }', value)
  const { retries } = options(subject, 'job', value, { retries: true })
  return { retries: integer(subject, 'job.retries', retries, 0, 1_000) ?? 0 }
}

/** More names of an app: those of Services. */
export function makeAliases(subject: Subject, value: Encoded): AppSpec['aliases'] {
  const names = (strings(subject, 'aliases', value) ?? []).filter((name) => {
    const valid = dnsLabel(subject, 'aliases', name) !== undefined
    if (valid && /^\d/.test(name)) broken(subject, `the alias '${name}' must begin with a letter.`)
    return valid
  })
  return names.length > 0 ? [...new Set(names)] : undefined
}
