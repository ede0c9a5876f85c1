// The agent for each synced image of a request, looked up before its pods are rendered.
import { platformOf } from '../../../model/build-record.js'
import { imagesOf, type AppSpec, type ManifestsSpec, type ReleaseSpec } from '../../../model/plan.js'
import type { DeployRequest } from '../../../ports/runtime.js'
import type { AgentNotes } from './agent-notes.js'
import type { AgentSource } from './agent-supply.js'
import { agentOff, type AgentImage, type NoAgent } from './put-agent.js'

/** How pods come by the agent. */
export interface AgentParts {
  readonly source: AgentSource
  /** Told of each resource why it has none. */
  readonly notes: AgentNotes
  /** Resources whose pods cannot be there with the agent in them, and why. Tried anew by the next run of devloop. */
  readonly refused: Map<string, string>
}

/** @param image name of a built image @returns undefined = it is not synced */
export type AgentOf = (image: string) => AgentImage | NoAgent | undefined

/** @param source undefined = nobody gets it */
export async function agentsOf(
  source: AgentSource | undefined,
  {
    resource,
    images,
    synced,
    agent: wanted,
  }: Pick<DeployRequest, 'images' | 'synced' | 'agent'> & { readonly resource: AppSpec | ManifestsSpec | ReleaseSpec },
): Promise<AgentOf> {
  const found = new Map<string, AgentImage | NoAgent>()
  for (const image of imagesOf(resource)) {
    const record = images[image]
    if (!record || !synced?.has(image) || !source) continue
    found.set(image, wanted ? await source(platformOf(record)) : { why: agentOff })
  }
  return (image) => found.get(image)
}

/** Gives nobody the agent, for one reason. */
export const withoutAgent =
  (why: string): AgentSource =>
  () =>
    Promise.resolve({ why })
