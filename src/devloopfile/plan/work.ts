// What the makers of images and resources share during one load.
import type { ImageSpec } from '../../model/plan.js'
import type { Declaration } from '../declaration.js'
import type { InputGlob } from '../inputs.js'
import type { ManifestCache } from './manifest-cache.js'
import type { Problems } from './problems.js'
import type { Seal } from './seal.js'

export interface PlanWork {
  readonly declaration: Declaration
  readonly problems: Problems
  /** Files that were read, or whose appearance would mend an error. */
  readonly files: Set<string>
  readonly globs: InputGlob[]
  readonly manifests: ManifestCache
  /** Images that stand for what attached workloads run. */
  readonly attached: ImageSpec[]
  /** Texts that must not be in the plan. */
  readonly sealed: Seal
  /** Checks that wait until every resource is made. */
  readonly later: ((made: Made) => void)[]
}

/** All resources that were made. */
export interface Made {
  /** Names of the resources that a declared one became, by its index. */
  readonly names: ReadonlyMap<number, readonly string[]>
  /** Port names by resource name; only for apps. */
  readonly ports: ReadonlyMap<string, readonly string[]>
  /** Those of them that are forwarded to this machine. */
  readonly forwarded: ReadonlyMap<string, readonly string[]>
  /** Names of the values by config; only for those whose values all stand in the Devloopfile. */
  readonly configKeys: ReadonlyMap<string, readonly string[]>
  /** Resources by name, and by the name given to `manifests` where each workload is one. */
  readonly byName: ReadonlyMap<string, readonly string[]>
}
