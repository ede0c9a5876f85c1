// What an image is built on: other images of the project, as values of arguments or by their names.
import { isMark, type Encoded } from '../declaration.js'
import { record, wrong, type Subject } from './fields.js'
import type { PlanWork } from './work.js'

export interface MadeArgs {
  readonly args: Record<string, string>
  /** Names of images by argument. */
  readonly baseArgs: Record<string, string>
}

/** Arguments of a build, or variables of a builder's environment: plain values, and images. */
export function makeArgs(work: PlanWork, subject: Subject, path: string, value: Encoded): MadeArgs {
  const made: MadeArgs = { args: {}, baseArgs: {} }
  if (value === undefined) return made
  const given = record(value)
  if (!given) {
    wrong(subject, path, 'an object', value)
    return made
  }
  for (const [key, item] of Object.entries(given)) {
    const base = imageName(work, item)
    if (base !== undefined) made.baseArgs[key] = base
    else if (typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean') made.args[key] = String(item)
    else {
      const help =
        path === 'args'
          ? 'Build arguments are known to all who have the image: they hold no texts. For secrets there is `secrets`.'
          : 'The command runs on this machine: it can be given no texts.'
      wrong(subject, `${path}.${key}`, 'a string, number, boolean or image', item ?? null, help)
    }
  }
  return made
}

/** Names of the images that an image is declared to be built on. */
export function makeBases(work: PlanWork, subject: Subject, value: Encoded): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    wrong(subject, 'bases', 'an array of images', value)
    return []
  }
  return (value as readonly Encoded[]).flatMap((item, index) => {
    const name = imageName(work, item)
    if (name !== undefined) return [name]
    const help =
      typeof item === 'string' ? 'An image of another project needs no naming here: write its reference into FROM.' : undefined
    wrong(subject, `bases[${index}]`, 'an image', item ?? null, help)
    return []
  })
}

/** The name of an image value; '' where that was wrong, which is reported where it was made. */
function imageName(work: PlanWork, value: Encoded): string | undefined {
  if (!isMark(value) || value.$devloop !== 'image') return undefined
  const name = work.declaration.images[value.index]?.name
  return typeof name === 'string' ? name : ''
}
