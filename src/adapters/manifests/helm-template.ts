// Renders Helm charts by `helm template`.
import { tmpdir } from 'node:os'
import { DevloopError } from '../../errors/devloop-error.js'
import type { HelmSpec, ManifestObject } from '../../model/plan.js'
import type { RenderTarget } from '../../ports/manifest-renderer.js'
import type { ProcessRunner } from '../../ports/process-runner.js'
import { helmArguments } from './helm-arguments.js'
import type { HelmDependencies } from './helm-dependencies.js'
import { helmError, templateFile } from './helm-errors.js'
import { parseOutput } from './parse-output.js'
import { findTool, missingTool, runTool } from './tool.js'

/** Milliseconds; a chart may come over the network. */
const limitMs = 120_000

/** @throws DevloopError tool/missing, render/*; AbortError */
export async function renderChart(
  processes: ProcessRunner,
  dependencies: HelmDependencies,
  spec: HelmSpec,
  target: RenderTarget,
  signal: AbortSignal,
): Promise<readonly ManifestObject[]> {
  if ((await findTool(['helm'])) === undefined) throw missingTool('helm', `The chart of ${spec.name}`)
  const folder = 'path' in spec.chart && !spec.chart.path.endsWith('.tgz') ? spec.chart.path : undefined
  if (folder !== undefined && spec.dependencies) await dependencies.build(spec, folder, signal)
  const version = spec.kubeVersion ?? target.version
  const args = await helmArguments(spec)
  try {
    const command = [
      'helm',
      'template',
      ...args.chart,
      '--namespace',
      spec.namespace ?? target.namespace,
      ...args.values,
      ...(version === undefined ? [] : ['--kube-version', version]),
      ...spec.apiVersions.flatMap((one) => ['--api-versions', one]),
      spec.crds ? '--include-crds' : '--skip-crds',
      '--skip-tests',
    ]
    const { exitCode, stdout, stderr } = await runTool(processes, {
      command,
      cwd: folder ?? tmpdir(),
      timeoutMs: limitMs,
      signal,
    })
    const what = `The chart of ${spec.name}`
    if (exitCode !== 0) throw helmError(spec, folder, stderr, `${what} could not be rendered.`)
    const sources = sourcesIn(stdout)
    const objects = parseOutput(stdout, what, (line) => {
      const source = sources.findLast((one) => one.line <= line)
      const file = source && folder !== undefined ? templateFile(folder, source.name) : undefined
      return file === undefined ? spec.at : { file, line: 1 }
    })
    return objects.filter(({ object }) => runsNow(object.metadata.annotations?.['helm.sh/hook']))
  } catch (thrown) {
    if (thrown instanceof DevloopError && thrown.code === 'local/start') throw missingTool('helm', `The chart of ${spec.name}`)
    throw thrown
  } finally {
    await args.discard()
  }
}

/** Helm writes before each document which template it is of. */
function sourcesIn(text: string): readonly { readonly line: number; readonly name: string }[] {
  return text.split('\n').flatMap((content, index) => {
    const name = /^# Source: (\S+)$/.exec(content)?.[1]
    return name === undefined ? [] : { line: index + 1, name }
  })
}

/** Whether an object belongs to installing: a hook that only cleans up, or that only tests, must not run now. */
const runsNow = (hooks: string | undefined): boolean =>
  hooks === undefined || hooks.split(',').some((hook) => /^(?:pre|post)-(?:install|upgrade)$|^crd-install$/.test(hook.trim()))
