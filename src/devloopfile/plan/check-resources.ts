// Rules that span resources: names, needs in a circle, ports of this machine.
import type { SourcePosition } from '../../errors/devloop-error.js'
import { forwardsOf, type ImageSpec, type ResourceSpec } from '../../model/plan.js'
import { place, type Problems } from './problems.js'

/** Two things with one name. @param kind such as `images` */
export function checkNames(problems: Problems, kind: string, specs: readonly (ImageSpec | ResourceSpec)[]): void {
  const first = new Map<string, SourcePosition>()
  for (const spec of specs) {
    // what has no name was reported for that
    if (spec.name === '') continue
    const other = first.get(spec.name)
    if (!other) {
      first.set(spec.name, placeOf(spec))
      continue
    }
    const message = `Two ${kind} are named '${spec.name}'.`
    problems.add('devloopfile/invalid', {
      message,
      why: `The other one stands at ${place(other)}.`,
      at: placeOf(spec),
      help: 'Name them differently.',
    })
  }
}

/** A workload of manifests stands where its object does. */
const placeOf = (spec: ImageSpec | ResourceSpec): SourcePosition => {
  const [only, ...more] = 'objects' in spec ? spec.objects : []
  return more.length === 0 && only?.at && only.object.metadata.name === spec.name ? only.at : spec.at
}

/** A resource on a path through the graph, and the option by which the one before it names it. */
interface Step {
  readonly name: string
  readonly option: 'needs' | 'rebuildAfter'
}

/** @param circle without its end, which is its first again, named by `option` */
function circleText(circle: readonly Step[], end: string, option: Step['option']): string {
  if (circle.length === 1) return option === 'needs' ? `'${end}' needs itself.` : `'${end}' comes after itself (rebuildAfter).`
  const steps = [...circle.slice(1), { name: end, option }]
  const path = steps.map((step) => `${step.name}${step.option === 'needs' ? '' : ' (rebuildAfter)'}`)
  return `Resources need each other in a circle: ${[end, ...path].join(' -> ')}.`
}

/** Resources that wait for themselves, by `needs` or `rebuildAfter`. */
export function checkNeeds(problems: Problems, resources: ReadonlyMap<string, ResourceSpec>): void {
  const done = new Set<string>()
  const visit = (name: string, above: readonly Step[], option: Step['option']): void => {
    const start = above.findIndex((step) => step.name === name)
    const spec = resources.get(name)
    if (start >= 0 && spec)
      problems.add('devloopfile/cycle', { message: circleText(above.slice(start), name, option), at: spec.at })
    if (start >= 0 || done.has(name)) return
    const path = [...above, { name, option }]
    for (const need of spec?.needs ?? []) visit(need, path, 'needs')
    for (const other of spec?.rebuildAfter ?? []) visit(other, path, 'rebuildAfter')
    done.add(name)
  }
  for (const name of resources.keys()) visit(name, [], 'needs')
}

/** Two that want one port of this machine. */
export function checkLocalPorts(problems: Problems, resources: readonly ResourceSpec[]): void {
  const taken = new Map<number, { name: string; at: SourcePosition }>()
  for (const spec of resources) {
    const { name, at } = spec
    const ports = [
      ...forwardsOf(spec).map(({ local }) => local),
      ...(spec.kind === 'local' && spec.port !== undefined ? [spec.port] : []),
    ]
    for (const local of ports) {
      const other = taken.get(local)
      if (!other) {
        taken.set(local, { name, at })
        continue
      }
      const who =
        other.name === name
          ? `'${name}' uses the local port ${local} twice.`
          : `'${name}' and '${other.name}' use the same local port ${local}.`
      problems.add('devloopfile/invalid', {
        message: who,
        why: other.name === name ? undefined : `The other one stands at ${place(other.at)}.`,
        at,
        help: 'Forward one of them to another port.',
      })
    }
  }
}
