// What refers to a config: as a value, in a list, or as a volume.
import type { ConfigRef } from '../../model/plan.js'
import { isMark, type Encoded } from '../declaration.js'
import { wrong, type Subject } from './fields.js'
import type { PlanWork } from './work.js'

/** The config or secret with this index; undefined where it is none, or has no name. */
export function configRef(work: PlanWork, index: number): ConfigRef | undefined {
  const found = work.declaration.resources[index]
  if ((found?.type !== 'config' && found?.type !== 'secret') || typeof found.name !== 'string') return undefined
  return { config: found.name, ...(found.type === 'secret' ? { secret: true } : {}) }
}

/** The config or secret that a value is; undefined where it is none. */
export const asConfig = (work: PlanWork, value: Encoded): ConfigRef | undefined =>
  isMark(value) && value.$devloop === 'resource' ? configRef(work, value.index) : undefined

/** `envFrom`: one or several; undefined = none. */
export function makeEnvFrom(work: PlanWork, subject: Subject, value: Encoded): readonly ConfigRef[] | undefined {
  if (value === undefined) return undefined
  const list = (Array.isArray(value) ? value : [value]) as readonly Encoded[]
  const refs = list.flatMap((item, index) => {
    const ref = asConfig(work, item)
    if (!ref) wrong(subject, Array.isArray(value) ? `envFrom[${index}]` : 'envFrom', 'what config or secret gave', item ?? null)
    return ref ?? []
  })
  return refs.length > 0 ? refs : undefined
}
