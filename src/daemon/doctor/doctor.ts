// `devloop doctor`: asks for all that devloop needs, as much at once as may be, and says of each how it stands.
import { DevloopError, isAbort, isDevloopError, toErrorInfo } from '../../errors/devloop-error.js'
import { clockCheck } from './clock-check.js'
import { clusterCheck, namespaceCheck, rightsCheck, userCheck } from './cluster-checks.js'
import { diskCheck } from './disk-check.js'
import { builderCheck, engineCheck } from './engine-checks.js'
import { inWords, type Check, type DoctorOptions, type DoctorReport, type Finding, type Room, type Said } from './finding.js'
import { devloopfileCheck, nodeCheck, toolsCheck } from './machine-checks.js'
import { dnsCheck, pullCheck, registryCheck } from './registry-checks.js'
import { watchesCheck } from './watches-check.js'

/** In the order in which they are told. */
export const checks: readonly Check[] = [
  nodeCheck,
  devloopfileCheck,
  toolsCheck,
  watchesCheck,
  clusterCheck,
  userCheck,
  namespaceCheck,
  rightsCheck,
  engineCheck,
  builderCheck,
  diskCheck,
  clockCheck,
  registryCheck,
  pullCheck,
  dnsCheck,
]

const usualLimitMs = 10_000

/**
 * @param tell of each finding, in the order of the list, as soon as it and those before it are made
 * @throws AbortError
 */
export async function examine(
  options: DoctorOptions,
  tell: (finding: Finding) => void,
  signal: AbortSignal,
): Promise<DoctorReport> {
  const room: Room = { options, stateDir: '' }
  try {
    const findings = await runChecks(checks, room, tell, signal)
    return { ok: findings.every(({ status }) => status !== 'failed'), checks: findings }
  } finally {
    room.kube?.close()
  }
}

/** Each check begins when those are done that it comes after; one that fails, hangs or has a defect keeps no other from its turn. */
export async function runChecks(
  list: readonly Check[],
  room: Room,
  tell: (finding: Finding) => void,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const running = new Map<string, Promise<Finding>>()
  for (const check of list) {
    const before = (check.after ?? []).flatMap((name) => running.get(name) ?? [])
    running.set(
      check.name,
      Promise.allSettled(before).then(() => runOne(check, room, signal)),
    )
  }
  // whoever throws first ends the whole; nothing else that is thrown goes unheard
  const all = Promise.all(running.values())
  all.catch(() => {})
  for (const finding of running.values()) tell(await finding)
  return all
}

async function runOne({ name, run, limitMs = usualLimitMs }: Check, room: Room, signal: AbortSignal): Promise<Finding> {
  signal.throwIfAborted()
  const began = performance.now()
  const late = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<Said>((resolve) => {
    timer = setTimeout(() => {
      late.abort()
      // a moment for what has to be cleared away
      timer = setTimeout(() => resolve(tooLate(name, limitMs)), 3000)
    }, limitMs)
  })
  const said = run(room, AbortSignal.any([signal, late.signal])).catch((thrown: unknown): Said => {
    signal.throwIfAborted()
    if (late.signal.aborted && isAbort(thrown)) return tooLate(name, limitMs)
    if (isDevloopError(thrown)) return { status: 'failed', text: thrown.message, error: thrown.info }
    const error = toErrorInfo(thrown)
    return { status: 'failed', text: error.message, error }
  })
  try {
    return { check: name, ...(await Promise.race([said, expired])), ms: Math.round(performance.now() - began) }
  } finally {
    clearTimeout(timer)
  }
}

function tooLate(name: string, limitMs: number): Said {
  const text = `no answer within ${inWords(limitMs)}`
  return { status: 'failed', text, error: new DevloopError('doctor/timeout', `The check ${name} came to no end: ${text}.`).info }
}
