// `devloop doctor`: asks one thing after another that devloop needs, and says of each how it stands. Writes nothing.
import { isAbort, isDevloopError } from '../../errors/devloop-error.js'
import { clusterCheck, namespaceCheck, registryCheck, rightsCheck, userCheck } from './cluster-checks.js'
import type { Check, DoctorOptions, DoctorReport, Finding, Room } from './finding.js'
import { devloopfileCheck, engineCheck, toolsCheck } from './machine-checks.js'

/** In the order in which they are told; later ones build on what earlier ones found. */
const checks: readonly Check[] = [
  devloopfileCheck,
  toolsCheck,
  clusterCheck,
  userCheck,
  namespaceCheck,
  rightsCheck,
  engineCheck,
  registryCheck,
]

/** @param tell of each finding, as it is made @throws AbortError */
export async function examine(
  options: DoctorOptions,
  tell: (finding: Finding) => void,
  signal: AbortSignal,
): Promise<DoctorReport> {
  const room: Room = { options }
  const findings: Finding[] = []
  try {
    for (const { name, run } of checks) {
      signal.throwIfAborted()
      const finding = { check: name, ...(await run(room, signal).catch(failed)) }
      findings.push(finding)
      tell(finding)
    }
  } finally {
    room.kube?.close()
  }
  return { ok: findings.every(({ status }) => status !== 'failed'), checks: findings }
}

function failed(thrown: unknown): Omit<Finding, 'check'> {
  if (isAbort(thrown) || !isDevloopError(thrown)) throw thrown
  return { status: 'failed', text: thrown.message, error: thrown.info }
}
