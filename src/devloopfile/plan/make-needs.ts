// `needs` and `rebuildAfter`: resources as values or by name.
import { isMark, type Encoded } from '../declaration.js'
import { didYouMean } from '../../errors/did-you-mean.js'
import { broken, wrong, type Subject } from './fields.js'
import { called } from './names.js'
import type { Made, PlanWork } from './work.js'

/**
 * Reads a list of needs. Gives placeholders: what they stand for is known once all resources are made, see resolveNeeds.
 */
export type Needs = (subject: Subject, path: string, value: Encoded) => readonly string[]

/** Stands for a declared resource in a list of needs until it is resolved; no name can look like it. */
const placeholder = (index: number): string => `#${index}`

export const createNeeds =
  (work: PlanWork): Needs =>
  (subject, path, value) => {
    if (value === undefined) return []
    if (!Array.isArray(value)) {
      wrong(subject, path, 'an array of resources', value)
      return []
    }
    return (value as readonly Encoded[]).flatMap((item, index) => {
      if (typeof item === 'string') {
        work.later.push((made) => {
          if (made.byName.has(item)) return
          const help = didYouMean(item, made.byName.keys()) ?? 'Correct the name, or add the resource to `resources`.'
          const verb = path.endsWith('rebuildAfter') ? 'comes after' : 'needs'
          broken(subject, `it ${verb} '${item}', and there is no such resource.`, undefined, help)
        })
        return [item]
      }
      if (isMark(item) && item.$devloop === 'resource') return [placeholder(item.index)]
      const image = isMark(item) && item.$devloop === 'image' ? work.declaration.images[item.index] : undefined
      const help = image ? `${called('image', image.name)} is built anyway for whoever uses it.` : undefined
      wrong(subject, `${path}[${index}]`, 'a resource or its name', item ?? null, help)
      return []
    })
  }

/** The names of resources that a list of needs means. */
export const resolveNeeds = (needs: readonly string[], made: Made): readonly string[] => [
  ...new Set(
    needs.flatMap((need) =>
      need.startsWith('#') ? (made.names.get(Number(need.slice(1))) ?? []) : (made.byName.get(need) ?? []),
    ),
  ),
]
