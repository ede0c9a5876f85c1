// Runs the command that a secret takes its values from. What it prints on stdout is told to nobody but the caller.
import { DevloopError, isDevloopError } from '../../errors/devloop-error.js'
import type { ConfigSource, ConfigSpec } from '../../model/plan.js'
import type { ProcessRunner } from '../../ports/process-runner.js'

export interface ConfigCommand {
  readonly processes: ProcessRunner
  readonly env: Readonly<Record<string, string | undefined>>
  readonly spec: ConfigSpec
  readonly source: Extract<ConfigSource, { kind: 'command' }>
  /** Gets the lines of stderr. */
  readonly onOutput: (line: string) => void
}

/** Lines of stderr that an error tells. */
const tailLines = 20

/** @returns its stdout, lines ended by `\n`. @throws DevloopError config/command; AbortError */
export async function runConfigCommand(
  { processes, env, spec, source, onOutput }: ConfigCommand,
  signal: AbortSignal,
): Promise<string> {
  const failed = (message: string, why: string): DevloopError =>
    new DevloopError('config/command', `The command of ${spec.name} ${message}.`, {
      where: spec.at,
      ...(why === '' ? {} : { why }),
      help: `Correct the cause, then: devloop trigger ${spec.name}`,
    })
  const stdout: string[] = []
  const tail: string[] = []
  const running = await processes
    .spawn({
      command: source.command,
      cwd: source.cwd,
      env: Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
      onLine: (line) => stdout.push(line),
      onErrorLine: (line) => {
        tail.push(line)
        if (tail.length > tailLines) tail.shift()
        onOutput(line)
      },
    })
    .catch((thrown: unknown) => {
      if (!isDevloopError(thrown)) throw thrown
      throw failed('could not be started', [thrown.message, thrown.info.why].filter(Boolean).join(' '))
    })
  let late = false
  const timer = setTimeout(() => {
    late = true
    void running.stop(1000)
  }, source.timeoutMs)
  const stop = (): void => void running.stop(1000)
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  const end = await running.ended
  clearTimeout(timer)
  signal.removeEventListener('abort', stop)
  signal.throwIfAborted()
  const said = tail.join('\n')
  if (late) throw failed(`took longer than ${source.timeoutMs / 1000} seconds`, said)
  if (end.exitCode !== 0)
    throw failed(end.exitCode === undefined ? `was ended by ${end.signal}` : `failed with exit code ${end.exitCode}`, said)
  return stdout.length === 0 ? '' : `${stdout.join('\n')}\n`
}
