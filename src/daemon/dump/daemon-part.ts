// What the daemon gives for a bug report: its state, what happened lately, and how it is doing. Values of Secrets are taken out.
import { memoryUsage, resourceUsage, uptime } from 'node:process'
import type { ControlContext } from '../../control/context.js'
import type { DumpResult } from '../../protocol/messages.js'
import type { ActionRing } from '../../store/action-ring.js'
import type { SecretMask } from '../../store/secret-mask.js'
import { planShape } from './plan-shape.js'
import { redactValue } from './redact.js'

export function daemonPart({ store, work, large }: ControlContext, actions: ActionRing, mask: SecretMask): DumpResult {
  // secret texts of the Devloopfile are nowhere in the state; that they are nowhere else is made sure of
  mask.add(large.sealed)
  const { plan, ...state } = store.state()
  const { userCPUTime, systemCPUTime } = resourceUsage()
  return redactValue(
    {
      state,
      plan: plan ? planShape(plan) : null,
      work: work.current(),
      actions: actions.notes(),
      process: {
        uptimeMs: Math.round(uptime() * 1000),
        cpuMs: Math.round((userCPUTime + systemCPUTime) / 1000),
        memory: { ...memoryUsage() },
      },
    },
    mask.text,
  ) as DumpResult
}
