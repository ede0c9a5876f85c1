// A request as the cluster will take it: with the agent, or without where the cluster refuses pods because of it and of nothing else.
import type { KubeObject } from '../../../model/plan.js'
import type { KubeConnection } from '../connection.js'
import { templateId, type ApplyTarget } from '../deploy/apply-object.js'
import type { RenderedObject } from '../deploy/rendered.js'
import { podRefusal } from './pod-refusal.js'

export interface AgentAdmission {
  /**
   * Why the agent must be left out of these; undefined = it need not. Asks only of templates that are new, and of each workload once it
   * was admitted no more.
   * @param without the same objects without the agent, made when they are needed
   */
  refusal(
    targets: readonly Pick<ApplyTarget, 'rendered' | 'path' | 'live'>[],
    without: () => Promise<readonly RenderedObject[]>,
    signal: AbortSignal,
  ): Promise<string | undefined>
}

/** @param ask gives the cluster's words where it refuses an object, or its pods; default: its pods */
export function createAgentAdmission(
  connection: KubeConnection,
  ask: (object: KubeObject, path: string, signal: AbortSignal) => Promise<string | undefined> = (object, _path, signal) =>
    podRefusal(connection, object, signal),
): AgentAdmission {
  const admitted = new Set<string>()
  return {
    async refusal(targets, without, signal) {
      const fresh = targets.filter(
        ({ rendered, path, live }) =>
          rendered.agent === 'put' && !admitted.has(path) && (!live || templateId(live) !== rendered.template),
      )
      const answers = await Promise.all(
        fresh.map(async ({ rendered, path }) => ({ path, why: await ask(rendered.object, path, signal) })),
      )
      for (const { path, why } of answers) if (why === undefined) admitted.add(path)
      const refused = answers.filter(({ why }) => why !== undefined)
      if (refused.length === 0) return undefined
      const plain = await without()
      for (const { path, why } of refused) {
        const index = targets.findIndex((target) => target.path === path)
        const object = plain[index]?.object
        // what is refused in any case is told when it is tried
        if (object && (await ask(object, path, signal)) === undefined) return why
      }
      return undefined
    },
  }
}
