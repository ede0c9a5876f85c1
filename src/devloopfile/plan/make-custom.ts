// Custom deploys: a declared one becomes the specification in the plan.
import type { CustomSpec } from '../../model/plan.js'
import type { CustomOptions } from '../api/types.js'
import type { DeclaredResource, Encoded } from '../declaration.js'
import { command, dnsLabel, integer, options, readiness, record, wrong, type Subject } from './fields.js'
import { makeCwd } from './make-cwd.js'
import { makeForward } from './make-forward.js'
import { makeImages } from './make-image-use.js'
import { graphKnown, makeGraph } from './make-graph.js'
import type { Needs } from './make-needs.js'
import { makeWatch } from './make-watch.js'
import { called } from './names.js'
import type { PlanWork } from './work.js'

const known: Record<keyof CustomOptions, true> = {
  apply: true,
  delete: true,
  watch: true,
  images: true,
  selector: true,
  env: true,
  cwd: true,
  timeout: true,
  forward: true,
  readiness: true,
  ...graphKnown,
}

export async function makeCustom(work: PlanWork, resource: DeclaredResource, needs: Needs): Promise<CustomSpec> {
  const subject: Subject = { name: called('custom', resource.name), at: resource.at, problems: work.problems }
  const given = options(subject, '', resource.options, known)
  const apply = command(subject, 'apply', given.apply)
  if (given.apply === undefined && record(resource.options)) wrong(subject, 'apply', 'a command', undefined)
  const deletes = command(subject, 'delete', given.delete)
  const selector = texts(subject, 'selector', given.selector)
  const timeout = integer(subject, 'timeout', given.timeout, 1, 86_400) ?? 300
  return {
    kind: 'custom',
    name: dnsLabel(subject, 'name', resource.name) ?? '',
    apply: apply ?? '',
    ...(deletes === undefined ? {} : { delete: deletes }),
    cwd: await makeCwd(work, subject, given.cwd),
    watch: makeWatch(subject, given.watch),
    env: texts(subject, 'env', given.env) ?? {},
    images: makeImages(work, subject, given.images),
    ...(selector === undefined || Object.keys(selector).length === 0 ? {} : { selector }),
    timeoutMs: timeout * 1000,
    ...makeGraph(subject, given, needs),
    forward: makeForward(subject, 'forward', given.forward),
    ...readiness(subject, 'readiness', given.readiness),
    at: resource.at,
  }
}

/** An object of texts; numbers and booleans become texts. */
function texts(subject: Subject, path: string, value: Encoded): Readonly<Record<string, string>> | undefined {
  if (value === undefined) return undefined
  const given = record(value)
  if (!given) return wrong(subject, path, 'an object of strings', value)
  const entries = Object.entries(given).flatMap(([key, item]): [string, string][] => {
    if (typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean') return [[key, String(item)]]
    if (item !== undefined) wrong(subject, `${path}.${key}`, 'a string, number or boolean', item)
    return []
  })
  return Object.fromEntries(entries)
}
