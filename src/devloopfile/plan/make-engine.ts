// The engine that a project is built with.
import type { EngineSettings } from '../../model/plan.js'
import type { InClusterEngine } from '../api/types.js'
import type { Encoded } from '../declaration.js'
import { broken, dnsLabel, options, port, record, string, wrong, type Subject } from './fields.js'

const inClusterKnown: Record<keyof InClusterEngine, true> = { workload: true, namespace: true, port: true }

const address = /^(?:(?:unix|npipe):\/\/\S+|(?:tcp|http|https|ssh):\/\/[^\s/]+\S*)$/
const workloadName = /^(?:deployment|statefulset|service)\/[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/
/** What an engine without TLS listens on. */
const plainPort = 2375

export function makeEngine(subject: Subject, value: Encoded): EngineSettings | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string') {
    if (address.test(value)) return { address: value }
    return wrong(subject, 'cluster.engine', "an address such as 'unix:///var/run/docker.sock' or 'ssh://me@build-host'", value)
  }
  if (!record(value)) return wrong(subject, 'cluster.engine', 'an address, { context } or { inCluster }', value)
  const given = options(subject, 'cluster.engine', value, { context: true, inCluster: true })
  if ((given.context === undefined) === (given.inCluster === undefined))
    return broken(subject, '`cluster.engine` needs either `context` or `inCluster`.')
  if (given.context === undefined) return makeInCluster(subject, given.inCluster)
  const context = string(subject, 'cluster.engine.context', given.context)
  return context === undefined ? undefined : { context }
}

function makeInCluster(subject: Subject, value: Encoded): EngineSettings | undefined {
  const path = 'cluster.engine.inCluster'
  if (typeof value === 'string') {
    const workload = makeWorkload(subject, path, value)
    return workload === undefined ? undefined : { inCluster: { workload, port: plainPort } }
  }
  const given = options(subject, path, value, inClusterKnown)
  const workload = makeWorkload(subject, `${path}.workload`, given.workload)
  const namespace = given.namespace === undefined ? undefined : dnsLabel(subject, `${path}.namespace`, given.namespace)
  const at = port(subject, `${path}.port`, given.port) ?? plainPort
  return workload === undefined ? undefined : { inCluster: { workload, ...(namespace ? { namespace } : {}), port: at } }
}

function makeWorkload(subject: Subject, path: string, value: Encoded): string | undefined {
  const workload = string(subject, path, value, 'required')
  if (workload === undefined || workloadName.test(workload)) return workload
  return wrong(subject, path, "'deployment/NAME', 'statefulset/NAME' or 'service/NAME'", workload)
}
