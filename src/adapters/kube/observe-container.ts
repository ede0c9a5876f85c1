// What is wrong with one container of a pod, in devloop's words.
import { DevloopError, type ErrorInfo } from '../../errors/devloop-error.js'
import { pullHelp } from './event-words.js'
import type { ContainerSpec, ContainerStatus, Terminated } from './observe-shapes.js'

const imageReasons = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
])
const configReasons = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'StartError',
  'ContainerCannotRun',
  'PreCreateHookError',
  'PreStartHookError',
  'PostStartHookError',
])

/**
 * The problem of a container, if it has one now.
 * @param before what was found for the same container earlier: while the node waits to try again, it says less than at first
 */
export function containerError(
  pod: string,
  spec: ContainerSpec,
  status: ContainerStatus,
  before: ErrorInfo | undefined,
): ErrorInfo | undefined {
  const { waiting, terminated, running } = status.state ?? {}
  if (running) return undefined
  if (terminated) return ended(pod, spec, terminated)
  const reason = waiting?.reason ?? ''
  if (imageReasons.has(reason)) {
    const why = waiting?.message
    // `Back-off pulling image "x"` alone says nothing that `ErrImagePull` had not said better.
    const vague =
      before?.code === 'pod/image' &&
      before.why !== undefined &&
      (why === undefined || /^Back-off pulling image "[^"]*"\.?$/.test(why))
    return info(
      'pod/image',
      `The node cannot pull the image "${spec.image ?? ''}" of container ${spec.name} (pod ${pod}).`,
      vague ? before.why : (why ?? reason),
      pullHelp((vague ? before.why : why) ?? ''),
    )
  }
  if (reason === 'CrashLoopBackOff') {
    const last = status.lastState?.terminated
    return last ? ended(pod, spec, last, status.restartCount, true) : crashed(pod, spec, 'keeps crashing', waiting?.message)
  }
  if (configReasons.has(reason)) {
    // Between two tries only the name of the reason may be left.
    const last = status.lastState?.terminated
    return cannotStart(pod, spec, waiting?.message ?? last?.message ?? before?.why ?? reason)
  }
  return undefined
}

function ended(pod: string, spec: ContainerSpec, last: Terminated, restarts = 0, again = false): ErrorInfo | undefined {
  if (last.reason !== undefined && configReasons.has(last.reason)) return cannotStart(pod, spec, last.message ?? last.reason)
  if (last.exitCode === 0 && !again) return undefined
  const how =
    last.reason === 'OOMKilled'
      ? 'was killed because it used more memory than it may (OOMKilled)'
      : last.exitCode > 128 && last.exitCode < 160
        ? `ended with exit code ${last.exitCode} (signal ${last.exitCode - 128})`
        : `ended with exit code ${last.exitCode}`
  const count = again && restarts > 0 ? `; it was started again ${restarts} ${restarts === 1 ? 'time' : 'times'}` : ''
  return crashed(pod, spec, how + count, last.message, last.reason === 'OOMKilled' ? oomHelp : undefined)
}

const oomHelp = 'Raise its memory limit, or use less memory.'

const crashed = (pod: string, spec: ContainerSpec, how: string, why: string | undefined, help?: string): ErrorInfo =>
  info('pod/crashed', `Container ${spec.name} ${how} (pod ${pod}).`, why, help)

function cannotStart(pod: string, spec: ContainerSpec, why: string): ErrorInfo {
  const missing =
    /exec: "([^"]+)": (?:executable file not found|stat [^:]+: no such file)|exec:? "?([^": ]+)"?: no such file or directory/.exec(
      why,
    )
  const program = missing?.[1] ?? missing?.[2]
  if (program === undefined) return info('pod/config', `Container ${spec.name} cannot be started (pod ${pod}).`, why)
  const shell = /^(.*\/)?(sh|bash|ash)$/.test(program)
  return info(
    'pod/config',
    `Container ${spec.name} cannot be started: its image has no \`${program}\` (pod ${pod}).`,
    why,
    shell
      ? 'Use a base image with a shell for development, or a `command` that needs none and no `restart` rule.'
      : 'Correct the command, or put the program into the image.',
  )
}

const info = (
  code: 'pod/image' | 'pod/crashed' | 'pod/config',
  message: string,
  why: string | undefined,
  help?: string,
): ErrorInfo => new DevloopError(code, message, { why, help }).info
