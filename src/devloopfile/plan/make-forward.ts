// `forward`: ports of this machine, alone or with what is done when they are taken.
import type { ForwardSpec } from '../../model/plan.js'
import type { ForwardOptions } from '../api/types.js'
import type { Encoded } from '../declaration.js'
import { options, port, record, wrong, type Subject } from './fields.js'

const known: Record<keyof ForwardOptions, true> = { local: true, fallback: true }

/** For resources whose container ports devloop does not know: ports by number. */
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
    const made = makeForwardSpec(subject, `${path}.${key}`, item, inside ?? 0)
    return inside === undefined ? [] : made
  })
}

/**
 * Reads what stands for one forwarded port.
 * @param inside where it leads to
 */
export function makeForwardSpec(
  subject: Subject,
  path: string,
  value: Encoded,
  inside: ForwardSpec['port'],
): readonly ForwardSpec[] {
  if (!record(value)) {
    const local = port(subject, path, value ?? null)
    return local === undefined ? [] : [{ local, port: inside }]
  }
  const given = options(subject, path, value, known)
  const { fallback } = given
  if (fallback !== undefined && fallback !== 'next-free') wrong(subject, `${path}.fallback`, "'next-free'", fallback)
  const local =
    given.local === undefined
      ? wrong(subject, `${path}.local`, 'a port number', undefined)
      : port(subject, `${path}.local`, given.local)
  return local === undefined ? [] : [{ local, port: inside, ...(fallback === 'next-free' ? { fallback } : {}) }]
}
