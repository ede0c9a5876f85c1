// `devloop trigger`: do the whole for resources again, or let go what waits for it.
import type { DevloopClient } from '../../client/index.js'
import { errorLines } from '../../client/status/error-text.js'
import { harmless } from '../../client/status/harmless.js'
import type { TriggerOutcome } from '../../protocol/messages.js'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { printJson } from '../print-json.js'
import { createProgressLine } from '../render/progress-line.js'

export interface TriggerOptions {
  readonly file?: string
  readonly confirmEmpty?: boolean
  /** Until each is ready or has failed. */
  readonly wait?: boolean
  readonly json?: boolean
}

export const trigger = (resources: readonly string[], options: TriggerOptions): Promise<number> =>
  withDaemon(options.file, ['state'], async (client) => {
    const line = createProgressLine(process)
    // at once, so that what is built for several is built once
    const asked = await Promise.allSettled(resources.map((resource) => ask(client, resource, options, line.show)))
    line.clear()
    const triggered = new Set<string>()
    const byName = new Map<string, TriggerOutcome>()
    for (const one of asked) {
      if (one.status === 'rejected') throw one.reason
      for (const name of one.value.resources) triggered.add(name)
      if (!options.json)
        process.stdout.write(`${options.confirmEmpty ? 'confirmed for' : 'triggered'} ${one.value.resources.join(', ')}\n`)
      for (const outcome of one.value.outcomes ?? []) byName.set(outcome.resource, outcome)
    }
    const outcomes = [...byName.values()]
    if (options.json)
      printJson({ [options.confirmEmpty ? 'confirmed' : 'triggered']: [...triggered], ...(options.wait && { outcomes }) })
    else for (const outcome of outcomes) show(outcome)
    return outcomes.every(({ ready }) => ready) ? exitCodes.ok : exitCodes.failure
  })

const ask = (
  client: DevloopClient,
  resource: string,
  { confirmEmpty, wait }: TriggerOptions,
  onProgress: ReturnType<typeof createProgressLine>['show'],
): ReturnType<typeof client.request<'trigger'>> =>
  client.request(
    'trigger',
    { resource, ...(confirmEmpty ? { confirmEmpty } : {}), ...(wait ? { wait } : {}) },
    wait ? { timeoutMs: undefined, onProgress } : {},
  )

function show({ resource, ready, error }: TriggerOutcome): void {
  process.stdout.write(`${resource} ${ready ? 'is ready' : 'failed'}\n`)
  for (const line of error ? errorLines(error) : []) process.stdout.write(`  ${harmless(line)}\n`)
}
