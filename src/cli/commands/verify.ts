// `devloop verify`: whether containers hold what they should.
import type { VerifiedTarget } from '../../protocol/messages.js'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { createProgressLine } from '../render/progress-line.js'
import { errorLines } from '../../client/status/error-text.js'
import { harmless } from '../../client/status/harmless.js'

export interface VerifyOptions {
  readonly file?: string
  readonly json?: boolean
}

/** Hashing a large tree in a slow container takes its time. Milliseconds. */
const patience = 600_000

export const verify = (resource: string | undefined, { file, json }: VerifyOptions): Promise<number> =>
  withDaemon(file, ['state'], async (client) => {
    const line = createProgressLine(process)
    const options = { timeoutMs: patience, onProgress: line.show }
    const result = await client.request('verify', resource === undefined ? {} : { resource }, options).finally(line.clear)
    if (json) process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
    else if (result.targets.length === 0) process.stdout.write('no container is synced now\n')
    else for (const target of result.targets) show(target)
    return result.targets.every((one) => !one.error && one.differing === 0 && one.unknown === 0)
      ? exitCodes.ok
      : exitCodes.failure
  })

function show({ resource, pod, container, checked, differences, differing, unknown, held, error }: VerifiedTarget): void {
  const say = (text: string): void => void process.stdout.write(`${harmless(text)}\n`)
  const name = `${resource}: ${pod}/${container}`
  if (error) {
    say(`${name}: nothing could be compared`)
    for (const line of errorLines(error)) say(`  ${line}`)
    return
  }
  say(
    `${name}: ${differing === 0 && unknown === 0 ? `all ${checked} paths are in sync` : `${differing} of ${checked} paths differ`}`,
  )
  if (held) say('  what was saved and waits for `devloop trigger` counts as different')
  for (const { path, wanted, found } of differences) say(`  ${path}: should be ${wanted}, is ${found}`)
  if (differing > differences.length) say(`  and ${differing - differences.length} more`)
  if (unknown > 0) say(`  ${unknown} cannot be told: there is no sha256sum, or its user may not read them`)
}
