// A request as the cluster will take it: with the agent, or without where the cluster refuses pods because of it and of nothing else.
import type { KubeConnection } from '../connection.js'
import type { ApplyTarget } from '../deploy/apply-object.js'
import { templateId } from '../deploy/apply-object.js'
import type { RenderedObject } from '../deploy/rendered.js'
import { podRefusal } from './pod-refusal.js'

export interface AgentAdmission {
  /**
   * Why the agent must be left out of these; undefined = it need not. Asks only of templates that are new, and of each workload once it
   * was admitted no more.
   * @param without the same objects without the agent, made when they are needed
   */
  refusal(
    targets: readonly ApplyTarget[],
    without: () => Promise<readonly RenderedObject[]>,
    signal: AbortSignal,
  ): Promise<string | undefined>
}

export function createAgentAdmission(connection: KubeConnection): AgentAdmission {
  const admitted = new Set<string>()
  return {
    async refusal(targets, without, signal) {
      const fresh = targets.filter(
        ({ rendered, path, live }) =>
          rendered.agent === 'put' && !admitted.has(path) && (!live || templateId(live) !== rendered.template),
      )
      const answers = await Promise.all(
        fresh.map(async ({ rendered, path }) => ({ path, why: await podRefusal(connection, rendered.object, signal) })),
      )
      for (const { path, why } of answers) if (why === undefined) admitted.add(path)
      const refused = answers.filter(({ why }) => why !== undefined)
      if (refused.length === 0) return undefined
      const plain = await without()
      for (const { path, why } of refused) {
        const index = targets.findIndex((target) => target.path === path)
        const object = plain[index]?.object
        // what is refused in any case is told when it is tried
        if (object && (await podRefusal(connection, object, signal)) === undefined) return why
      }
      return undefined
    },
  }
}
