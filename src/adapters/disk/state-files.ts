// What must outlive the process, as files that only this user can read.
import { join } from 'node:path'
import type { DevloopError } from '../../errors/devloop-error.js'
import type { StateFiles } from '../../ports/state-files.js'
import { createBuildRecords } from './build-records.js'
import { createCommonStates } from './common-states.js'
import { createTouchJournals } from './touch-journals.js'

export interface StateFilesOptions {
  /** A folder of this instance's own; it is made when it is needed. */
  readonly dir: string
  readonly project: string
  readonly instance: string
  /** Told about each build record that is left out, as state/unreadable. */
  readonly onProblem?: (error: DevloopError) => void
}

/** Writing fails with state/unwritable. */
export function createStateFiles({ dir, project, instance, onProblem = () => {} }: StateFilesOptions): StateFiles {
  const records = createBuildRecords(join(dir, 'records'), { project, instance }, onProblem)
  const journals = createTouchJournals(join(dir, 'touched'))
  const commons = createCommonStates(join(dir, 'common'))
  return {
    loadRecords: (runtime) => records.load(runtime),
    saveRecord: (record) => records.save(record),
    keepRecords: (images, unusedSince) => records.keep(images, unusedSince),
    touched: (containerId) => journals.touched(containerId),
    async touch(containerId, paths) {
      journals.touch(containerId, paths)
    },
    replaceTouched: (containerId, paths) => journals.replace(containerId, paths),
    common: (place) => commons.load(place),
    setCommon: (place, common) => commons.set(place, common),
    async noteCommon(place, changes) {
      commons.note(place, changes)
    },
    async keepContainers(containerIds) {
      await journals.keep(containerIds)
      await commons.keep(containerIds)
    },
    async close() {
      journals.close()
    },
  }
}
