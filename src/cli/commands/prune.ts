// `devloop prune`: through the daemon if one runs, else by itself.
import { findDaemon } from '../../client/index.js'
import type { PruneResult } from '../../protocol/messages.js'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { findDevloopfile } from '../find-devloopfile.js'
import { interruptible } from '../interrupted.js'
import { printJson } from '../print-json.js'
import { createProgressLine } from '../render/progress-line.js'
import { errorLines } from '../../client/status/error-text.js'
import { harmless } from '../../client/status/harmless.js'

export interface PruneOptions {
  readonly file?: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** A registry is asked once for each image. Milliseconds. */
const patience = 600_000

export async function prune({ file, dryRun = false, json }: PruneOptions): Promise<number> {
  const devloopfile = findDevloopfile(file)
  const tell = (result: PruneResult): number => (json ? data(result, dryRun) : show(result, dryRun))
  if (await findDaemon({ devloopfile }))
    return withDaemon(devloopfile, ['state'], async (client) => {
      const line = createProgressLine(process)
      const options = { timeoutMs: patience, onProgress: line.show }
      return tell(await client.request('prune', { dryRun }, options).finally(line.clear))
    })
  const { pruneAlone } = await import('../../daemon/prune.js')
  return interruptible(async (signal) => tell(await pruneAlone({ file: devloopfile, dryRun }, signal)))
}

function data(result: PruneResult, dryRun: boolean): number {
  printJson({ dryRun, ...result })
  return result.problems.length > 0 ? exitCodes.failure : exitCodes.ok
}

const places = {
  engine: 'from the engine',
  registry: 'from the registry',
  cache: 'in the engine',
  state: 'from the state folder',
}

function show({ removed, kept, problems, interrupted }: PruneResult, dryRun: boolean): number {
  const did = dryRun ? 'would remove' : 'removed'
  for (const { from, name, bytes } of removed) {
    const size = bytes === undefined ? '' : ` (${(bytes / 1e6).toFixed(1)} MB)`
    process.stdout.write(`${did} ${places[from]}: ${harmless(name)}${size}\n`)
  }
  if (removed.length === 0) process.stdout.write('nothing to remove\n')
  process.stdout.write(`kept: ${kept} ${kept === 1 ? 'image' : 'images'}\n`)
  if (interrupted) process.stdout.write('broken off, because something was being built or synced; the rest follows later\n')
  for (const problem of problems) process.stderr.write(`${errorLines(problem).join('\n')}\n`)
  return problems.length > 0 ? exitCodes.failure : exitCodes.ok
}
