// `forward` of resources whose container ports devloop does not know: ports by number.
import type { ForwardSpec } from '../../model/plan.js'
import type { Encoded } from '../declaration.js'
import { port, record, wrong, type Subject } from './fields.js'

export function makeForward(subject: Subject, path: string, value: Encoded): readonly ForwardSpec[] {
  if (value === undefined) return []
  if (typeof value === 'number') {
    const local = port(subject, path, value)
    return local === undefined ? [] : [{ local, port: local }]
  }
  const given = record(value)
  if (!given) {
    wrong(subject, path, 'a port number, or { containerPort: local }', value)
    return []
  }
  return Object.entries(given).flatMap(([key, item]) => {
    const inside = /^\d+$/.test(key)
      ? port(subject, path, Number(key))
      : wrong(subject, path, 'an object with container port numbers as keys', value)
    const local = port(subject, `${path}.${key}`, item ?? null)
    return inside === undefined || local === undefined ? [] : [{ local, port: inside }]
  })
}
