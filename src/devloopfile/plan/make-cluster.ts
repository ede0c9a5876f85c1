// Settings of the project itself.
import type { ClusterSettings } from '../../model/plan.js'
import type { ClusterOptions } from '../api/types.js'
import type { Encoded } from '../declaration.js'
import { dnsLabel, options, strings, type Subject } from './fields.js'
import { makeEngine } from './make-engine.js'
import { makePullSecret, makeRegistry } from './make-registry.js'
import { makeSandbox, makeTenant } from './make-sandbox.js'

const known: Record<keyof ClusterOptions, true> = {
  contexts: true,
  namespace: true,
  registry: true,
  pullSecret: true,
  engine: true,
  sandbox: true,
  tenant: true,
}

export function makeCluster(subject: Subject, value: Encoded): ClusterSettings {
  if (value === undefined) return { contexts: [] }
  const given = options(subject, 'cluster', value, known)
  const contexts = strings(subject, 'cluster.contexts', given.contexts) ?? []
  const namespace = given.namespace === undefined ? undefined : dnsLabel(subject, 'cluster.namespace', given.namespace)
  const registry = makeRegistry(subject, given.registry)
  const pullSecret = makePullSecret(subject, given.pullSecret)
  const engine = makeEngine(subject, given.engine)
  const sandbox = makeSandbox(subject, given.sandbox)
  const tenant = makeTenant(subject, given.tenant)
  return {
    contexts,
    ...(namespace === undefined ? {} : { namespace }),
    ...(registry === undefined ? {} : { registry }),
    ...(pullSecret === undefined ? {} : { pullSecret }),
    ...(engine === undefined ? {} : { engine }),
    ...(sandbox ? { sandbox } : {}),
    ...(tenant ? { tenant } : {}),
  }
}
