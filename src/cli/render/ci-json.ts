// The report of `devloop ci` as JSON: as CiReport, and with the newest lines of output of what is not well.
import type { CiReport } from '../../protocol/messages.js'

export function ciJson(report: CiReport, tailOf: (resource: string) => readonly string[]): string {
  const resources = report.resources.map((one) =>
    one.outcome === 'failed' || one.outcome === 'waiting' ? { ...one, output: tailOf(one.name) } : one,
  )
  return `${JSON.stringify({ ...report, resources }, undefined, 2)}\n`
}
