// Starts an app's container under its debugger.
import { DevloopError, type ErrorInfo } from '../../../errors/devloop-error.js'
import type { ImageConfig } from '../../../model/build-record.js'
import { debugCommand, isDebugCommand } from '../../../model/debug-command.js'
import type { AppSpec } from '../../../model/plan.js'
import type { Container } from '../../../model/pod-bearing.js'
import { mainCommand } from './main-command.js'

const unknown: ImageConfig = { entrypoint: [], cmd: [], workingDir: '/', user: '', shell: false }

/**
 * Change a container in place, so that its command runs under the debugger.
 * @param config of the image; undefined = devloop does not build it
 * @returns why it was left as it is, as warnings
 */
export function putDebugger(
  app: AppSpec,
  container: Container | undefined,
  config: ImageConfig | undefined,
): readonly ErrorInfo[] {
  if (!app.debug || !container) return []
  const { language, port } = app.debug
  const main = mainCommand(container, config ?? unknown)
  const found = debugCommand(language, port, config || container.command ? main : [])
  if (!isDebugCommand(found)) return [notDebugged(app, found).info]
  const env = (container.env ?? []) as readonly { readonly name: string; readonly value?: string }[]
  const secret = env.find(({ name, value }) => name in found.env && value === undefined)
  if (secret)
    return [
      notDebugged(app, {
        why: `Its ${secret.name} is secret, so nothing can be added to it.`,
        help: 'Take the secret out of it.',
      }).info,
    ]
  const added = Object.entries(found.env).map(([name, value]) => {
    const own = env.find((one) => one.name === name)?.value
    return { name, value: own ? `${own} ${value}` : value }
  })
  if (found.argv.length > 0 && found.argv !== main) {
    container.command = [...found.argv]
    delete container.args
  }
  if (added.length > 0) container.env = [...env.filter(({ name }) => !(name in found.env)), ...added]
  return []
}

const notDebugged = ({ name, at, debug }: AppSpec, { why, help }: { why: string; help: string }): DevloopError =>
  new DevloopError('debug/unsupported', `${name} runs without its debugger (${debug?.language}).`, { why, help, where: at })
