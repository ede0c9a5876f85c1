// Rules that span resources: names, needs in a circle, ports of this machine.
import type { SourcePosition } from '../../errors/devloop-error.js'
import type { ImageSpec, ResourceSpec } from '../../model/plan.js'
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

export function checkNeeds(problems: Problems, resources: ReadonlyMap<string, ResourceSpec>): void {
  const done = new Set<string>()
  const visit = (name: string, above: readonly string[]): void => {
    const start = above.indexOf(name)
    const spec = resources.get(name)
    if (start >= 0 && spec) {
      const circle = [...above.slice(start), name]
      const message =
        circle.length === 2 ? `'${name}' needs itself.` : `Resources need each other in a circle: ${circle.join(' -> ')}.`
      problems.add('devloopfile/cycle', { message, at: spec.at })
    }
    if (start >= 0 || done.has(name)) return
    for (const need of spec?.needs ?? []) visit(need, [...above, name])
    done.add(name)
  }
  for (const name of resources.keys()) visit(name, [])
}

/** Two that want one port of this machine. */
export function checkLocalPorts(problems: Problems, resources: readonly ResourceSpec[]): void {
  const taken = new Map<number, { name: string; at: SourcePosition }>()
  for (const { name, at, ...spec } of resources) {
    const ports = [
      ...spec.forward.map(({ local }) => local),
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
