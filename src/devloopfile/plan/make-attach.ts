// Attached workloads: a declared one becomes a resource, and an image that stands for what its container runs.
import { dirname, resolve } from 'node:path'
import {
  attachedKinds,
  attachedName,
  type AttachSpec,
  type AttachedKind,
  type ImageSpec,
  type LiveRule,
  type ResourceSpec,
} from '../../model/plan.js'
import type { AttachOptions } from '../api/types.js'
import type { DeclaredResource, Encoded } from '../declaration.js'
import { boolean, broken, dnsLabel, options, readiness, string, wrong, type Subject } from './fields.js'
import { makeForward } from './make-forward.js'
import { graphKnown, makeGraph } from './make-graph.js'
import { checkContext } from './make-image.js'
import { makeLiveRules } from './make-live-rules.js'
import type { Needs } from './make-needs.js'
import { called } from './names.js'
import { place, type Problems } from './problems.js'
import type { PlanWork } from './work.js'

const known: Record<keyof AttachOptions, true> = {
  name: true,
  namespace: true,
  container: true,
  context: true,
  live: true,
  initialSync: true,
  forward: true,
  readiness: true,
  ...graphKnown,
}

const kinds = new Map<string, AttachedKind>(attachedKinds.map((kind) => [kind.toLowerCase(), kind]))
/** A DNS subdomain. */
const objectName = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/

export async function makeAttach(work: PlanWork, resource: DeclaredResource, needs: Needs): Promise<AttachSpec> {
  const subject: Subject = { name: called('attach', resource.source), at: resource.at, problems: work.problems }
  const given = options(subject, '', resource.options, known)
  const workload = makeWorkload(subject, resource.source)
  // a workload that is no good is no good as a name either
  const name = workload || given.name !== undefined ? (dnsLabel(subject, 'name', resource.name) ?? '') : ''
  const namespace = given.namespace === undefined ? undefined : dnsLabel(subject, 'namespace', given.namespace)
  const container = given.container === undefined ? undefined : dnsLabel(subject, 'container', given.container)
  const spec = {
    kind: 'attach',
    name,
    workload: workload ?? { kind: 'Deployment', name: '' },
    ...(namespace === undefined ? {} : { namespace }),
    ...(container === undefined ? {} : { container }),
    images: [],
    ...makeGraph(subject, given, needs),
    forward: makeForward(subject, 'forward', given.forward),
    ...readiness(subject, 'readiness', given.readiness),
    at: resource.at,
  } as const satisfies AttachSpec
  const image = await makeRunning(work, subject, given, spec)
  if (!image) return spec
  work.attached.push(image)
  return { ...spec, images: [image.name] }
}

function makeWorkload(subject: Subject, value: Encoded): AttachSpec['workload'] | undefined {
  const [, word = '', name = ''] = (typeof value === 'string' && /^([^/]*)\/(.*)$/s.exec(value)) || []
  const kind = kinds.get(word)
  if (kind && objectName.test(name)) return { kind, name }
  const expected = [...kinds.keys()].map((one) => `${one}/NAME`)
  return wrong(subject, 'workload', `one of ${expected.join(', ')}`, value ?? null)
}

/** What its container runs, as far as rules lead into it; undefined = they do not. */
async function makeRunning(
  work: PlanWork,
  subject: Subject,
  given: Partial<Record<keyof AttachOptions, Encoded>>,
  spec: AttachSpec,
): Promise<ImageSpec | undefined> {
  const initialSync = boolean(subject, 'initialSync', given.initialSync) ?? true
  const base = dirname(spec.at.file)
  const context = resolve(base, string(subject, 'context', given.context) ?? '.')
  if (given.live === undefined) {
    for (const name of ['context', 'container', 'initialSync'] as const)
      if (given[name] !== undefined)
        broken(subject, `\`${name}\` is for \`live\` rules, and there are none.`, undefined, `Remove it, or give \`live\`.`)
    return undefined
  }
  await checkContext(work, subject, context, base)
  const live = await makeLiveRules(work, subject, given.live, { context, base })
  checkRules(subject, live)
  return {
    name: `attach/${spec.name}`,
    context,
    dockerfile: { inline: '' },
    args: {},
    pulled: { ref: attachedName(spec), initialSync, attached: true },
    live,
    at: spec.at,
  }
}

/** Rules that ask for what devloop cannot do with something that it neither built nor started. */
function checkRules(subject: Subject, rules: readonly LiveRule[]): void {
  for (const rule of rules) {
    const at: Subject = { ...subject, at: rule.at }
    if (rule.kind === 'rebuildOn')
      broken(at, '`rebuildOn` has nothing to build: something else deploys it.', undefined, 'Remove the rule.')
    else if (rule.kind === 'restart' && rule.signal === undefined)
      broken(
        at,
        '`restart` cannot replace its process: something else has started it.',
        'If that ended, its container would be started again, and would hold nothing of what was synced.',
        "Where it reloads itself, tell it: restart({ signal: 'SIGHUP' }) or notify(...).",
      )
  }
  if (rules.length > 0 && !rules.some((rule) => rule.kind === 'sync'))
    broken(subject, 'no `sync` in `live` brings anything into it.', undefined, 'Add a sync to `live`, or remove `live`.')
}

/** Workloads that the same Devloopfile deploys, and containers that two resources write into. */
export function checkAttached(problems: Problems, resources: readonly ResourceSpec[], namespace: string | undefined): void {
  const inNamespace = (name: string, of: string | undefined): string => `${name} ${of ?? namespace ?? ''}`
  const own = new Map<string, ResourceSpec>()
  for (const spec of resources) {
    if (spec.kind === 'app') own.set(inNamespace(`${spec.job ? 'job' : 'deployment'}/${spec.name}`, undefined), spec)
    if (spec.kind !== 'manifests') continue
    for (const { object } of spec.objects)
      own.set(
        inNamespace(`${object.kind.toLowerCase()}/${object.metadata.name}`, object.metadata.namespace ?? spec.namespace),
        spec,
      )
  }
  const synced = new Map<string, AttachSpec[]>()
  for (const spec of resources) {
    if (spec.kind !== 'attach') continue
    const name = attachedName(spec)
    const key = inNamespace(name, spec.namespace)
    const owner = own.get(key)
    if (owner)
      problems.add('devloopfile/invalid', {
        message: `attach '${name}': ${owner.kind} '${owner.name}' of this Devloopfile deploys it.`,
        at: spec.at,
        help: 'Attach is for what something else deploys: give the rules to an image of its own instead.',
      })
    if (spec.images.length === 0) continue
    const others = synced.get(key) ?? []
    const other = others.find(({ container }) => !container || !spec.container || container === spec.container)
    if (other)
      problems.add('devloopfile/invalid', {
        message: `Two attach '${name}' sync into one container.`,
        why: `The other one stands at ${place(other.at)}.`,
        at: spec.at,
        help: 'Put all rules into one, or name two containers with `container`.',
      })
    synced.set(key, [...others, spec])
  }
}
