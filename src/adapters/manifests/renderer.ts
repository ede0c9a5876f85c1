// Makes the objects of kustomizations and Helm charts.
import type { ManifestRenderer } from '../../ports/manifest-renderer.js'
import type { ProcessRunner } from '../../ports/process-runner.js'
import { helmInputs } from './helm-chart.js'
import { createHelmDependencies } from './helm-dependencies.js'
import { renderChart } from './helm-template.js'
import { buildKustomization } from './kustomize.js'
import { kustomizeInputs } from './kustomize-inputs.js'

export function createManifestRenderer(processes: ProcessRunner): ManifestRenderer {
  const dependencies = createHelmDependencies(processes)
  return {
    inputs: (spec) => (spec.kind === 'kustomize' ? kustomizeInputs(spec.folder) : helmInputs(spec)),
    render: (spec, target, signal) =>
      spec.kind === 'kustomize'
        ? buildKustomization(processes, spec, signal)
        : renderChart(processes, dependencies, spec, target, signal),
  }
}
