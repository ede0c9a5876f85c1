// Test files that take minutes begin first, so that none of them runs on alone at the end. Vitest goes by size, which says little of that.
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const long = [
  'matrix-',
  'two-way-random',
  'housekeeping',
  'manifests-helm-release',
  'agent-pods',
  'ci',
  'loop-restart',
  'chaos',
  'init',
  'init-',
  'whole-path',
]

export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      long.some((name) => moduleId.includes(`/test/cluster/${name}${name.endsWith('-') ? '' : '.'}`))
    return [...sorted.filter(isLong), ...sorted.filter((one) => !isLong(one))]
  }
}
