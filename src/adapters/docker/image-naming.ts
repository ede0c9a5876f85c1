// The two names of an image: what the engine has it by, and what nodes pull it by.
import { familiarName, namesIn, type TaggedName } from '../../model/image-names.js'
import type { Registry } from '../../ports/image-builder.js'

export interface Names {
  /** What the engine has it by, and pushes. */
  readonly named: TaggedName
  /** What nodes pull it by. */
  readonly pulled: TaggedName
}

/** @param name in the Devloopfile */
export function namedAs(name: string, tag: string, registry: Registry | undefined): Names {
  if (!registry) return { named: { repository: familiarName(name), tag }, pulled: { repository: familiarName(name), tag } }
  const { push, pull } = namesIn(registry, name, tag)
  return { named: push, pulled: pull }
}

export const referenceOf = ({ repository, tag }: TaggedName): string => `${repository}:${tag}`
