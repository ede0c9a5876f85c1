// `devloop down`: through the daemon if one runs, else by itself.
import type { AloneOptions } from '../../daemon/down.js'
import { findDaemon, type DevloopClient } from '../../client/index.js'
import { DevloopError } from '../../errors/devloop-error.js'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { findDevloopfile } from '../find-devloopfile.js'
import { interruptible } from '../interrupted.js'
import { printJson } from '../print-json.js'
import { createProgressLine } from '../render/progress-line.js'
import { harmless } from '../../client/status/harmless.js'
import { sessionOf } from '../../client/status/views.js'

export interface DownOptions {
  readonly file?: string
  readonly context?: string
  readonly namespace?: string
  readonly deleteGenerated?: boolean
  readonly deleteNamespace?: boolean
  readonly expired?: boolean
  readonly json?: boolean
}

/**
 * @param names of the resources that are meant; none = all
 * @param args for the Devloopfile
 */
export async function down(names: readonly string[], args: readonly string[], options: DownOptions): Promise<number> {
  const devloopfile = findDevloopfile(options.file)
  if (names.length > 0 && (options.deleteGenerated || options.deleteNamespace))
    throw new DevloopError('usage', 'generated values and namespaces belong to the whole project, and not to single resources', {
      help: `Leave out ${names.join(', ')}.`,
    })
  const report = createReport(options.json ?? false)
  if (options.expired) {
    if (names.length > 0 || options.deleteGenerated || options.deleteNamespace)
      throw new DevloopError('usage', '--expired deletes namespaces whose time is over, and nothing of this project', {
        help: 'Give no resources and no other option to delete something.',
      })
    return interruptible((signal) => expired({ ...options, file: devloopfile, args }, report, signal))
  }
  if (await findDaemon({ devloopfile }))
    return withDaemon(devloopfile, ['state', 'logs'], (client) => throughDaemon(client, names, options, report))
  const { removeDeployed } = await import('../../daemon/down.js')
  return interruptible(async (signal) => {
    const well = await removeDeployed(
      { ...options, file: devloopfile, args, ...(names.length > 0 ? { only: names } : {}) },
      report.step,
      signal,
    )
    report.end('nothing was deployed')
    return well ? exitCodes.ok : exitCodes.failure
  })
}

async function expired(options: AloneOptions, report: Report, signal: AbortSignal): Promise<number> {
  const { removeExpiredNamespaces } = await import('../../daemon/down.js')
  const removed = await removeExpiredNamespaces(options, signal)
  if (removed.length > 0) report.step({ resource: '', level: 'info', text: `deleted ${removed.join(', ')}` })
  report.end('no namespace of yours has been left unused for its time')
  return exitCodes.ok
}

async function throughDaemon(
  client: DevloopClient,
  names: readonly string[],
  { context, namespace, deleteGenerated, deleteNamespace }: DownOptions,
  report: Report,
): Promise<number> {
  const runtime = sessionOf(client.views())?.runtime
  if (names.length > 0)
    throw new DevloopError('request/refused', `devloop runs for this project, and would deploy ${names.join(', ')} again`, {
      help: 'Disable what shall not run, or end devloop first.',
    })
  // the daemon deletes what it deployed, so another place than its own must not be asked for in passing
  for (const [option, asked, its] of [
    ['--context', context, runtime?.context],
    ['--namespace', namespace, runtime?.namespace],
  ] as const) {
    if (asked === undefined || asked === its) continue
    throw new DevloopError(
      'request/refused',
      `devloop runs for this project with ${its ?? 'no cluster'}, and not with ${asked}`,
      {
        help: `Leave ${option} out, or end devloop first.`,
      },
    )
  }
  const line = createProgressLine(process)
  const closed = new Promise<void>((resolve) => client.onState((state) => state === 'closed' && resolve()))
  client.logs({}, ({ lines }) => {
    for (const { source, level, resource, text } of lines) {
      if (source !== 'deploy' && level !== 'error') continue
      line.clear()
      report.step({ resource, level, text })
    }
  })
  const choice = { ...(deleteGenerated ? { deleteGenerated } : {}), ...(deleteNamespace ? { deleteNamespace } : {}) }
  const options = { timeoutMs: undefined, onProgress: line.show }
  const { removed } = await client.request('shutdown', { down: true, wait: true, ...choice }, options).finally(line.clear)
  await closed
  report.end()
  return removed ? exitCodes.ok : exitCodes.failure
}

/** What is deleted and kept, as it happens or, as JSON, at the end. */
interface Report {
  readonly step: (step: Step) => void
  /** @param nothing what to say when there were no steps */
  readonly end: (nothing?: string) => void
}

interface Step {
  /** '' = it belongs to none. */
  readonly resource: string
  readonly level: 'info' | 'warn' | 'error'
  readonly text: string
}

function createReport(json: boolean): Report {
  const steps: Step[] = []
  const say = (text: string): void => void process.stdout.write(`${harmless(text)}\n`)
  return {
    step({ resource, level, text }) {
      steps.push({ resource, level, text })
      if (!json) say(`${resource === '' ? '' : `${resource}: `}${level === 'error' ? 'failed: ' : ''}${text}`)
    },
    end(nothing) {
      if (json) printJson({ steps })
      else if (steps.length === 0 && nothing !== undefined) say(nothing)
    },
  }
}
