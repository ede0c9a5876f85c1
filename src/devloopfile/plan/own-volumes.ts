// Who makes a named volume that several apps share: the first of them.
import type { ResourceSpec, VolumeSpec } from '../../model/plan.js'

/** To be called with the resources in their order. */
export function ownVolumes(): (spec: ResourceSpec) => ResourceSpec {
  const owned = new Set<string>()
  return (spec) => {
    if (spec.kind !== 'app' || !spec.volumes) return spec
    const volumes = spec.volumes.map((volume): VolumeSpec => {
      if (volume.kind !== 'named' || owned.has(volume.name)) return volume
      owned.add(volume.name)
      return { ...volume, owner: true }
    })
    return { ...spec, volumes }
  }
}
