// `helm dependency build`: what a local chart depends on is put into its `charts` folder, as Helm wants it there.
import { join } from 'node:path'
import type { HelmSpec } from '../../model/plan.js'
import type { ProcessRunner } from '../../ports/process-runner.js'
import { chartFolders, missingDependencies, readChart } from './helm-chart.js'
import { helmError } from './helm-errors.js'
import { hashOf } from './hash-of.js'
import { runTool } from './tool.js'

/** Milliseconds. */
const limitMs = 300_000

export interface HelmDependencies {
  /** Make a local chart whole: only what is missing, or came from a chart of this machine that changed. @throws DevloopError render/*; AbortError */
  build(spec: HelmSpec, folder: string, signal: AbortSignal): Promise<void>
}

export function createHelmDependencies(processes: ProcessRunner): HelmDependencies {
  /** By chart: hash of the local charts that its archives were made of. */
  const built = new Map<string, string>()
  /** Two at once in one chart would be in each other's way. */
  let turn: Promise<unknown> = Promise.resolve()

  const buildOne = async (spec: HelmSpec, folder: string, signal: AbortSignal): Promise<void> => {
    const { dependencies } = await readChart(folder)
    if (dependencies.length === 0) return
    const local = dependencies.flatMap((one) => one.folder ?? [])
    const made = (): Promise<string> => hashOf([join(folder, 'Chart.yaml'), ...local])
    const missing = await missingDependencies(folder, dependencies)
    if (missing.length === 0 && (local.length === 0 || built.get(folder) === (await made()))) return
    const run = (command: string) =>
      runTool(processes, { command: ['helm', 'dependency', command, folder], cwd: folder, timeoutMs: limitMs, signal })
    let result = await run('build')
    // `build` knows only the repositories that `helm repo add` was told of; `update` takes the addresses as they stand
    if (result.exitCode !== 0 && /no repository definition|no cached repo/i.test(result.stderr)) result = await run('update')
    if (result.exitCode !== 0) throw helmError(spec, folder, result.stderr, `The dependencies of ${folder} could not be built.`)
    built.set(folder, await made())
  }

  return {
    build(spec, folder, signal) {
      const next = turn.then(async () => {
        for (const one of await chartFolders(folder)) await buildOne(spec, one, signal)
      })
      turn = next.catch(() => {})
      return next
    },
  }
}
