// Builds kustomizations by `kustomize build`, or by kubectl, which has it built in.
import { dirname } from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'
import type { KustomizeSpec, ManifestObject } from '../../model/plan.js'
import type { ProcessRunner } from '../../ports/process-runner.js'
import { parseOutput } from './parse-output.js'
import { findTool, isNetworkTrouble, missingTool, runTool } from './tool.js'

/** Milliseconds; bases may come over the network. */
const limitMs = 120_000

/** @throws DevloopError tool/missing, render/*; AbortError */
export async function buildKustomization(
  processes: ProcessRunner,
  spec: KustomizeSpec,
  signal: AbortSignal,
): Promise<readonly ManifestObject[]> {
  const tool = await findTool(['kustomize', 'kubectl'])
  if (tool === undefined) throw missingTool('kustomize', `The kustomization ${spec.name}`)
  const command = [tool, ...(tool === 'kubectl' ? ['kustomize'] : ['build']), spec.folder, ...spec.flags]
  const { exitCode, stdout, stderr } = await runTool(processes, {
    command,
    cwd: dirname(spec.folder),
    timeoutMs: limitMs,
    signal,
  })
  if (exitCode !== 0) {
    const why = stderr.trim().replace(/^(?:error|Error):\s*/, '')
    throw new DevloopError(
      isNetworkTrouble(why) ? 'render/unreachable' : 'render/failed',
      `The kustomization ${spec.name} could not be built.`,
      { why: why || `It ended with exit code ${exitCode ?? 'none'}.`, where: spec.at },
    )
  }
  return parseOutput(stdout, `The kustomization ${spec.name}`, () => spec.at)
}
