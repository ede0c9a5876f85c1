// A change of one object, for showing it.
import type { KubeObject } from '../../model/plan.js'

/** One object that a deploy would change. */
export interface ObjectChange {
  /** `deployment/api`, with the namespace where it has one: `dev deployment/api`. */
  readonly name: string
  /** As the cluster has it; undefined = it is not there. */
  readonly before?: KubeObject
  /** As the cluster would have it; undefined = it would be deleted. */
  readonly after?: KubeObject
  /** It cannot be changed as it is, so it would be deleted and made anew. */
  readonly anew: boolean
}

/** For people: namespace, kind and name. */
export const nameOf = ({ kind, metadata }: KubeObject): string =>
  `${metadata.namespace ? `${metadata.namespace} ` : ''}${kind.toLowerCase()}/${metadata.name}`
