// What an app's process is started with: its command, or that under its debugger.
import { DevloopError, isDevloopError, type ErrorInfo } from '../../errors/devloop-error.js'
import { debugCommand, isDebugCommand } from '../../model/debug-command.js'
import { debuggerMissing } from '../../model/debugger-missing.js'
import type { AppSpec, Command } from '../../model/plan.js'
import { checkCommand } from './app-process.js'
import type { PortTable } from './port-table.js'

type ProcessApp = AppSpec & { readonly process: NonNullable<AppSpec['process']> }

export interface Main {
  readonly command: Command
  readonly env: Readonly<Record<string, string>>
  /** Where the debugger listens on this machine. */
  readonly port?: number
  readonly warnings: readonly ErrorInfo[]
}

export async function underDebugger(
  app: ProcessApp,
  env: Readonly<Record<string, string>>,
  ports: Pick<PortTable, 'assignDebugger'>,
): Promise<Main> {
  const { command } = app.process
  if (!app.debug) return { command, env, warnings: [] }
  const port = await ports.assignDebugger(app)
  const argv = typeof command === 'string' ? ['/bin/sh', '-c', command] : command
  const found = debugCommand(app.debug.language, port, argv)
  if (!isDebugCommand(found)) {
    const { info } = new DevloopError('debug/unsupported', `${app.name} runs without its debugger (${app.debug.language}).`, {
      ...found,
      where: app.at,
    })
    return { command, env, warnings: [info] }
  }
  const added = Object.entries(found.env).map(([name, value]) => [name, env[name] ? `${env[name]} ${value}` : value])
  return {
    command: found.argv === argv ? command : found.argv,
    env: { ...env, ...(Object.fromEntries(added) as Record<string, string>) },
    port,
    warnings: [],
  }
}

/** Look for the command before anything is stopped for its sake. @throws DevloopError app/start, debug/missing */
export async function checkMain(
  app: AppSpec,
  command: Command,
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  try {
    await checkCommand(app.name, command, cwd, env)
  } catch (thrown) {
    if (!isDevloopError(thrown)) throw thrown
    const told = debuggerMissing(app, thrown.info)
    throw told === thrown.info ? thrown : new DevloopError(told.code, told.message, { ...told, cause: thrown })
  }
}
