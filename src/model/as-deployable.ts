// What a tool made, as what is deployed: manifests, or a release of Helm's.
import type { ManifestObject, ManifestsSpec, ReleaseSpec, RenderedSpec } from './plan.js'

/** @param objects what the tool gave for this very spec */
export function asDeployable(spec: RenderedSpec, objects: readonly ManifestObject[]): ManifestsSpec | ReleaseSpec {
  if (spec.kind === 'kustomize') {
    const { kind: _kind, folder: _folder, flags: _flags, ...rest } = spec
    return { ...rest, kind: 'manifests', objects }
  }
  const { release } = spec
  if (release) return { ...spec, release, kind: 'release', objects }
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
    release: _release,
    ...rest
  } = spec
  return { ...rest, kind: 'manifests', objects }
}
