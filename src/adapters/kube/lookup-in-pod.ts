// A name looked up by the agent in a pod that runs, as that pod's resolver knows it.
import { agentFolder, agentPath } from './agent/put-agent.js'
import type { KubeConnection } from './connection.js'
import { agentAnnotation, ownedSelector } from './labels.js'
import { openExec } from './sync/exec.js'

interface RunningPod {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: {
    readonly containers: readonly { readonly name: string; readonly volumeMounts?: readonly { readonly mountPath: string }[] }[]
  }
}

/**
 * @returns the pod that was asked, and why the name is unknown there; undefined = no pod of the connection's owner runs with an agent that
 * can tell
 * @throws DevloopError cluster/*; AbortError
 */
export async function lookupInPod(
  connection: KubeConnection,
  host: string,
  signal: AbortSignal,
): Promise<{ readonly pod: string; readonly unknown?: string } | undefined> {
  const { namespace, owner } = connection
  const { items } = (await connection.request('GET', `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`, {
    query: { labelSelector: ownedSelector(owner), fieldSelector: 'status.phase=Running' },
    what: `list pods in ${namespace}`,
    signal,
  })) as { readonly items: readonly RunningPod[] }
  const found = items.find(({ metadata }) => metadata.annotations?.[agentAnnotation] !== undefined)
  const container = found?.spec.containers.find((one) => one.volumeMounts?.some(({ mountPath }) => mountPath === agentFolder))
  if (!found || !container) return undefined
  const pod = found.metadata.name
  const target = { containerId: '', namespace, pod, container: container.name }
  const stream = await openExec(connection, target, [agentPath, 'lookup', host], { stdin: false, signal })
  const close = (): void => stream.close()
  signal.addEventListener('abort', close, { once: true })
  try {
    const said: Buffer[] = []
    stream.stdout.resume()
    stream.stderr.on('data', (chunk: Buffer) => said.push(chunk))
    const end = await stream.ended
    signal.throwIfAborted()
    if (end.kind === 'failed') throw end.error
    if (end.exitCode === 0) return { pod }
    // an agent of another version may not know the command, which is 2
    return end.exitCode === 1 ? { pod, unknown: Buffer.concat(said).toString('utf8').trim() } : undefined
  } finally {
    signal.removeEventListener('abort', close)
    stream.close()
  }
}
