// `devloop ci`: the plan once, in this process, and an exit code that says how it went.
import { choicesOf, type ChoiceOptions } from '../choices.js'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { connectDevloop, type DevloopClient } from '../../client/index.js'
import { DevloopError } from '../../errors/devloop-error.js'
import type { CiLimits, CiReport } from '../../protocol/messages.js'
import { exitCodes, fail } from '../exit.js'
import { findDevloopfile } from '../find-devloopfile.js'
import { onInterrupt } from '../interrupted.js'
import { isGone, onOutputError, onUncaught } from '../output.js'
import { ciJson } from '../render/ci-json.js'
import { ciJunit } from '../render/ci-junit.js'
import { ciSummary } from '../render/ci-summary.js'
import { harmless } from '../../client/status/harmless.js'
import { createLogTails } from '../render/log-tails.js'
import { openPatientOutput } from '../patient-output.js'
import { createPlainView } from '../render/plain-view.js'
import { plainStyle, terminalStyle } from '../render/style.js'
import { version } from '../version.js'

export interface CiOptions extends CiLimits, ChoiceOptions {
  readonly file?: string
  readonly runtime: 'kubernetes' | 'process'
  readonly context?: string
  readonly namespace?: string
  /** Resources to run, with what they need, as names or `label:NAME`; empty = all. */
  readonly only: readonly string[]
  /** File for the report as JUnit XML. */
  readonly junit?: string
  /** File for the report as JSON. */
  readonly json?: string
  /** Delete what was deployed at the end. */
  readonly down?: boolean
}

/** @param args for the Devloopfile */
export async function ci(args: readonly string[], options: CiOptions): Promise<number> {
  const { file, runtime, context, namespace, timeoutMs, readinessTimeoutMs, graceMs } = options
  const { startDaemon } = await import('../../daemon/daemon.js')
  const daemon = await startDaemon({
    file: findDevloopfile(file),
    args,
    only: options.only,
    choices: choicesOf(options),
    runtime,
    port: 0,
    version,
    ci: {
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(readinessTimeoutMs === undefined ? {} : { readinessTimeoutMs }),
      ...(graceMs === undefined ? {} : { graceMs }),
    },
    ...(context === undefined ? {} : { context }),
    ...(namespace === undefined ? {} : { namespace }),
  })
  onUncaught(daemon.defect)
  let interrupted = false
  const interrupt = (reason: string): void => {
    if (interrupted) process.exit(exitCodes.interrupted)
    interrupted = true
    void daemon.stop(reason)
  }
  onInterrupt((signal) => interrupt(signal === 'SIGINT' ? 'Ctrl-C' : signal))
  onOutputError((problem) => {
    if (isGone(problem) && !interrupted) interrupt('nobody reads its output')
  })
  const connect = (): DevloopClient =>
    connectDevloop({ endpoint: { socket: daemon.discovery.socket }, name: `devloop ci ${version}`, topics: ['state', 'logs'] })
  // a client has one selection of logs
  const [client, listener] = [connect(), connect()]
  const view = createPlainView(client, openPatientOutput(process.stdout))
  const tails = createLogTails(listener)

  const report = await daemon.ci
  // what a container said last comes a moment after its end
  if (report.outcome === 'failed') await tails.quiet()
  view.close()
  const removals = options.down ? tellRemovals(client) : undefined
  await daemon.stop('devloop ci is done', options.down && !interrupted ? { down: {}, asked: true } : {})
  const ended = await daemon.ended
  removals?.end()
  client.close()
  listener.close()

  const style = process.stdout.isTTY ? terminalStyle(process.env) : plainStyle
  process.stdout.write(`\n${ciSummary(report, tails.of, style)}\n`)
  const isWritten = await writeReports(report, tails.of, options)
  if (ended !== exitCodes.ok) return ended
  if (interrupted) return exitCodes.interrupted
  return report.outcome === 'passed' && isWritten && !removals?.failed() ? exitCodes.ok : exitCodes.failure
}

function tellRemovals(client: DevloopClient): { /** Whether something could not be deleted. */ failed(): boolean; end(): void } {
  let failed = false
  const end = client.logs({}, ({ lines }) => {
    for (const { source, level, resource, text } of lines) {
      if (source !== 'deploy') continue
      failed ||= level === 'error'
      process.stdout.write(`${resource === '' ? '' : `${resource}: `}${level === 'error' ? 'failed: ' : ''}${harmless(text)}\n`)
    }
  })
  return { failed: () => failed, end }
}

/** @returns whether all that were asked for could be written */
async function writeReports(
  report: CiReport,
  tailOf: (resource: string) => readonly string[],
  { junit, json }: CiOptions,
): Promise<boolean> {
  let well = true
  for (const [file, text] of [
    [junit, () => ciJunit(report, tailOf)],
    [json, () => ciJson(report, tailOf)],
  ] as const) {
    if (file === undefined) continue
    try {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text())
    } catch (thrown) {
      well = false
      fail(
        new DevloopError('ci/report', `the report cannot be written to ${file}`, {
          why: (thrown as Error).message,
          cause: thrown,
        }),
      )
    }
  }
  return well
}
