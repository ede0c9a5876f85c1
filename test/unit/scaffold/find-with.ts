// Runs one detector on a tree.
import { makeBases } from '../../../src/scaffold/bases.js'
import type { Detector, Found, Question } from '../../../src/scaffold/component.js'
import { readSourceTree, sourceTreeOf } from '../../../src/scaffold/source-tree.js'

export type Files = Readonly<Record<string, string>>

/** What a detector finds in a folder of a tree of files, or of a fixture by its name, where every question is answered by its fallback. */
export function findWith(detect: Detector, tree: Files | string, folder = '', asked: Question[] = []): readonly Found[] {
  return detect({
    tree: typeof tree === 'string' ? readSourceTree(`test/fixtures/init/${tree}`) : sourceTreeOf(tree),
    folder,
    bases: makeBases(),
    ask(question) {
      asked.push(question)
      return question.fallback
    },
  })
}

/** The lines of a stage of a Dockerfile, without its FROM. */
export const stageOf = (found: Found | undefined, stage: string): readonly string[] => {
  const text = found?.dockerfile.text.split(/^FROM /m).find((part) => part.split('\n')[0]?.endsWith(` AS ${stage}`))
  return (text ?? '').split('\n').slice(1)
}

/** The command of a stage. */
export const commandOf = (found: Found | undefined, stage: 'dev' | 'prod' = 'dev'): unknown =>
  JSON.parse(
    stageOf(found, stage)
      .find((line) => line.startsWith('CMD '))
      ?.slice('CMD '.length) ?? 'null',
  )

/** Names of the libraries, in their order. */
export const librariesOf = (found: Found | undefined): readonly string[] => found?.libraries.map(({ name }) => name) ?? []
