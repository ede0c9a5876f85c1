// What a tool made, as the manifests that it is applied as.
import type { ManifestObject, ManifestsSpec, RenderedSpec } from './plan.js'

/** @param objects what the tool gave for this very spec */
export function asManifests(spec: RenderedSpec, objects: readonly ManifestObject[]): ManifestsSpec {
  if (spec.kind === 'kustomize') {
    const { kind: _kind, folder: _folder, flags: _flags, ...rest } = spec
    return { ...rest, kind: 'manifests', objects }
  }
  const {
    kind: _kind,
    chart: _chart,
    releaseName: _releaseName,
    values: _values,
    set: _set,
    kubeVersion: _kubeVersion,
    apiVersions: _apiVersions,
    crds: _crds,
    dependencies: _dependencies,
    ...rest
  } = spec
  return { ...rest, kind: 'manifests', objects }
}
