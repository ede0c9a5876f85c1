// The two runtimes. What each needs is imported only when it is used: the Kubernetes client is large.
import { createProcessRunner } from '../adapters/process/process-runner.js'
import type { OpenRuntime } from '../ports/runtime.js'

export const runtimeOpener =
  (kind: 'kubernetes' | 'process', log: (text: string) => void): OpenRuntime =>
  async (options, signal) => {
    if (kind === 'process') {
      const { openProcessRuntime } = await import('../adapters/process/process-runtime.js')
      return openProcessRuntime({ processes: createProcessRunner() })(options, signal)
    }
    const [{ openKubeRuntime }, { createShellTransport }, { createDockerBuilder }] = await Promise.all([
      import('../adapters/kube/runtime.js'),
      import('../adapters/kube/sync/shell-transport.js'),
      import('../adapters/docker/image-builder.js'),
    ])
    return openKubeRuntime({ builder: createDockerBuilder(), sync: createShellTransport, log })(options, signal)
  }
