// The two runtimes. What each needs is imported only when it is used: the Kubernetes client is large.
import { createProcessRunner } from '../adapters/process/process-runner.js'
import type { OpenRuntime } from '../ports/runtime.js'

export const runtimeOpener =
  (kind: 'kubernetes' | 'process'): OpenRuntime =>
  async (options, signal) => {
    if (kind === 'process') {
      const { openProcessRuntime } = await import('../adapters/process/process-runtime.js')
      return openProcessRuntime({ processes: createProcessRunner() })(options, signal)
    }
    const [{ openKubeRuntime }, { createDockerBuilder }] = await Promise.all([import('../adapters/kube/runtime.js'), import('../adapters/docker/image-builder.js')])
    return openKubeRuntime({ builder: createDockerBuilder() })(options, signal)
  }
