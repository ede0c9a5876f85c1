// `devloop prune`: through the daemon if one runs, else by itself.
import { findDaemon } from '../../client/index.js'
import type { PruneResult } from '../../protocol/messages.js'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { findDevloopfile } from '../find-devloopfile.js'
import { onInterrupt } from '../interrupted.js'
import { errorLines } from '../render/error-text.js'
import { harmless } from '../render/harmless.js'

export interface PruneOptions {
  readonly file?: string
  readonly dryRun?: boolean
}

/** A registry is asked once for each image. Milliseconds. */
const patience = 600_000

export async function prune({ file, dryRun = false }: PruneOptions): Promise<number> {
  const devloopfile = findDevloopfile(file)
  if (await findDaemon({ devloopfile }))
    return withDaemon(devloopfile, ['state'], async (client) =>
      show(await client.request('prune', { dryRun }, { timeoutMs: patience }), dryRun),
    )
  const { pruneAlone } = await import('../../daemon/prune.js')
  const abort = new AbortController()
  const end = onInterrupt(() => abort.abort())
  try {
    return show(await pruneAlone({ file: devloopfile, dryRun }, abort.signal), dryRun)
  } catch (thrown) {
    if (abort.signal.aborted) return exitCodes.interrupted
    throw thrown
  } finally {
    end()
  }
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
