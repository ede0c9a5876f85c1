// The two runtimes. What each needs is imported only when it is used: the Kubernetes client is large.
import { createAgentProgram } from '../adapters/disk/agent-program.js'
import { createProcessRunner } from '../adapters/process/process-runner.js'
import type { EngineWish } from '../ports/image-builder.js'
import type { OpenRuntime } from '../ports/runtime.js'

/** The import begins at once: it is done by the time the Devloopfile is loaded. */
export function runtimeOpener(kind: 'kubernetes' | 'process', log: (text: string) => void): OpenRuntime {
  const runtime = kind === 'process' ? processRuntime() : kubeRuntime(log)
  // told where it is awaited
  runtime.catch(() => {})
  return async (options, signal) => (await runtime)(options, signal)
}

async function processRuntime(): Promise<OpenRuntime> {
  const { openProcessRuntime } = await import('../adapters/process/process-runtime.js')
  return openProcessRuntime({ processes: createProcessRunner() })
}

async function kubeRuntime(log: (text: string) => void): Promise<OpenRuntime> {
  const [{ openKubeRuntime }, { createChoosingTransport }, { createDockerBuilder }, { createReleaseTool }] = await Promise.all([
    import('../adapters/kube/runtime.js'),
    import('../adapters/kube/sync/choose-transport.js'),
    import('../adapters/docker/image-builder.js'),
    import('../adapters/manifests/helm-release.js'),
    import('../adapters/kube/client-library.js'),
  ])
  const processes = createProcessRunner()
  const builder = (engine: EngineWish) => createDockerBuilder({ engine, processes })
  const releases = createReleaseTool(processes)
  return openKubeRuntime({ builder, sync: createChoosingTransport, agent: createAgentProgram(), processes, releases, log })
}
