// The command that a container's main process is started with, by Kubernetes' rules.
import type { ImageConfig } from '../../../model/build-record.js'
import { literally } from './expansion.js'

/**
 * Entrypoint and arguments in one, written as a pod's `command` (where `$(NAME)` is replaced): `command` replaces the image's
 * entrypoint and drops its default arguments, `args` replaces the arguments only. Empty = the image says nothing to run.
 */
export function mainCommand(
  container: { readonly command?: readonly string[]; readonly args?: readonly string[] },
  config: ImageConfig,
): readonly string[] {
  const command = container.command?.length ? container.command : undefined
  const args = container.args?.length ? container.args : undefined
  const first = command ?? config.entrypoint.map(literally)
  const rest = args ?? (command ? [] : config.cmd.map(literally))
  return [...first, ...rest]
}
