// Running a command of the user's own in a container, with no daemon in between: over a guarded connection of its own.
import { connectKube } from '../adapters/kube/connection.js'
import { openExec, type TerminalSize, type TerminalStream } from '../adapters/kube/sync/exec.js'
import { DevloopError } from '../errors/devloop-error.js'
import type { ExecPlace } from '../protocol/messages.js'

export interface ContainerCommands {
  /** @throws DevloopError cluster/*, sync/disconnected */
  start(argv: readonly string[], terminal?: TerminalSize): Promise<TerminalStream>
  close(): void
}

/** @throws DevloopError cluster/*; also when the kubeconfig leads elsewhere than the daemon's did */
export async function commandsIn(
  { context, contexts, server, namespace, pod, container }: Extract<ExecPlace, { runtime: 'kubernetes' }>,
  signal: AbortSignal,
): Promise<ContainerCommands> {
  const options = { project: '', instance: '', stateDir: '', cluster: { contexts }, context, namespace }
  const connection = await connectKube(options, signal)
  if (connection.server !== server) {
    connection.close()
    throw new DevloopError(
      'cluster/context',
      `The context ${context} leads to ${connection.server}, and devloop works on ${server}.`,
      {
        why: 'The kubeconfig of this shell is another one, or has changed.',
        help: 'Set KUBECONFIG as where `devloop watch` was started.',
      },
    )
  }
  const target = { containerId: '', namespace, pod, container }
  return {
    start: (argv, terminal) => openExec(connection, target, argv, { stdin: true, signal, ...(terminal ? { terminal } : {}) }),
    close: () => connection.close(),
  }
}
