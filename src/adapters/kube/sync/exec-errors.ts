// What the API server, the kubelet and the container runtime say about an exec, in devloop's words.
import { DevloopError, isAbort, isDevloopError } from '../../../errors/devloop-error.js'
import type { TargetRef } from '../../../ports/sync-transport.js'
import { statusOf } from '../errors.js'
import type { ExecEnd } from './exec-stream.js'
import { noShellHelp } from './dockerfile-help.js'

/** For messages. */
export const containerName = (target: TargetRef): string =>
  `container ${target.container} of pod ${target.namespace}/${target.pod}`

/** The end of a command out of the last message of its stream, a Kubernetes Status. */
export function translateExecStatus(json: string, target: TargetRef, argv: readonly string[]): ExecEnd {
  const status = parse(json)
  if (status.status === 'Success') return { kind: 'exited', exitCode: 0 }
  const code = status.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message
  if (status.reason === 'NonZeroExitCode' && code !== undefined && /^\d+$/.test(code))
    return { kind: 'exited', exitCode: Number(code) }
  return { kind: 'failed', error: fromMessage(status.message ?? json, target, argv) }
}

/** Anything thrown when the stream was opened. Aborts pass through. */
export function translateExecRefusal(thrown: unknown, target: TargetRef): unknown {
  if (isAbort(thrown)) return thrown
  const status = statusOf(thrown)
  // Whatever is not about rights or the connection is about the pod: it is gone, or its container does not run (yet).
  if (status && ![401, 403].includes(status.code)) return fromMessage(status.message, target, [])
  return isDevloopError(thrown) ? thrown : fromMessage(thrown instanceof Error ? thrown.message : String(thrown), target, [])
}

function fromMessage(why: string, target: TargetRef, argv: readonly string[]): DevloopError {
  const missing = /exec(?:utable file)?:? "?([^"\s]+)"?.*(?:executable file not found|no such file or directory)/i.exec(why)
  if (argv.length > 0 && (missing || /executable file not found/i.test(why))) {
    const program = argv[0] ?? ''
    if (!/(^|\/)sh$/.test(program))
      return new DevloopError('run/failed', `There is no ${program} in ${containerName(target)}.`, { why })
    return new DevloopError('sync/no-shell', `There is no shell (/bin/sh) in ${containerName(target)}.`, {
      why,
      help: noShellHelp,
    })
  }
  if (
    /container not found|not found|is not running|not created or running|not in running state|stopped container|task .* not found|completed pod/i.test(
      why,
    )
  )
    return new DevloopError('sync/disconnected', `The stream to ${containerName(target)} could not be opened: it does not run.`, {
      why,
    })
  return new DevloopError('sync/disconnected', `The stream to ${containerName(target)} ended.`, { why })
}

interface ExecStatus {
  readonly status?: string
  readonly reason?: string
  readonly message?: string
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] }
}

function parse(json: string): ExecStatus {
  try {
    return JSON.parse(json) as ExecStatus
  } catch {
    return { message: json }
  }
}
