// `devloop doctor`: what is missing here and in the cluster, each with a way out.
import type { Finding } from '../../daemon/doctor/finding.js'
import { exitCodes } from '../exit.js'
import { devloopfileIfAny } from '../find-devloopfile.js'
import { onInterrupt } from '../interrupted.js'
import { errorLines } from '../../client/status/error-text.js'
import { harmless } from '../../client/status/harmless.js'
import { plainStyle, terminalStyle, type Style } from '../render/style.js'

export interface DoctorOptions {
  readonly file?: string
  readonly context?: string
  readonly namespace?: string
  readonly json?: boolean
  readonly readOnly?: boolean
}

/** @param args for the Devloopfile */
export async function doctor(
  args: readonly string[],
  { file, json, readOnly = false, ...options }: DoctorOptions,
): Promise<number> {
  const abort = new AbortController()
  const end = onInterrupt(() => abort.abort())
  const style = process.stdout.isTTY ? terminalStyle(process.env) : plainStyle
  const tell = (finding: Finding): void => {
    if (!json) process.stdout.write(`${findingLines(finding, style).join('\n')}\n`)
  }
  try {
    const { examine } = await import('../../daemon/doctor/doctor.js')
    const report = await examine({ ...options, args, readOnly, file: devloopfileIfAny(file) }, tell, abort.signal)
    if (json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
    return report.ok ? exitCodes.ok : exitCodes.failure
  } catch (thrown) {
    if (abort.signal.aborted) return exitCodes.interrupted
    throw thrown
  } finally {
    end()
  }
}

/** One line, and below it what is wrong and what to do. */
function findingLines({ check, status, text, error }: Finding, style: Style): readonly string[] {
  const colours = { ok: style.green, warning: style.yellow, failed: style.red, skipped: style.dim }
  const line = `${colours[status](status.padEnd(8))}${style.bold(check)}: ${harmless(text)}`
  if (!error) return [line]
  const [first, ...more] = errorLines(error)
  // what says the same twice is said once
  if (error.message === text) return [`${line} [${error.code}]`, ...more]
  return [line, `  ${first}`, ...more]
}
