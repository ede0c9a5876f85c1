// What rendering hands to applying: finished objects, and where each came from.
import type { ErrorInfo, SourcePosition } from '../../../errors/devloop-error.js'
import type { KubeObject } from '../../../model/plan.js'
import type { NoAgent } from '../agent/put-agent.js'
import { instanceLabel, managedBy, managedByLabel, projectLabel, resourceLabel } from '../labels.js'

export interface RenderedObject {
  readonly object: KubeObject
  /** Where the user wrote it; the resource's own place for what devloop writes. */
  readonly at: SourcePosition
  /** Id of its pod template, when it bears pods. */
  readonly template?: string
  /** Whether the agent is in its pods, or why it is not where it should be. */
  readonly agent?: 'put' | NoAgent
}

export interface Rendered {
  readonly objects: readonly RenderedObject[]
  readonly warnings: readonly ErrorInfo[]
}

/** Why the agent is not where it should be in them; undefined = it is. */
export const lackingAgent = (objects: readonly RenderedObject[]): string | undefined =>
  objects.flatMap(({ agent }) => (agent && agent !== 'put' ? [agent.why] : []))[0]

/** Whose objects these are. */
export interface Owner {
  readonly project: string
  readonly instance: string
  readonly resource: string
  /** It is Helm that manages the objects, and says so on them. */
  readonly byHelm?: true
}

/** The labels of every object and pod template of a resource. */
export const ownerLabels = (owner: Owner): Record<string, string> => ({
  ...(owner.byHelm ? {} : { [managedByLabel]: managedBy }),
  [projectLabel]: owner.project,
  [instanceLabel]: owner.instance,
  [resourceLabel]: owner.resource,
})

/** `deployment/api`, as people and kubectl name an object. */
export const objectName = (object: KubeObject): string => `${object.kind.toLowerCase()}/${object.metadata.name}`
