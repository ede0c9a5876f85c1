// Making Kubernetes objects from a kustomization or a Helm chart, by tools of this machine.
import type { ManifestObject, RenderedSpec } from '../model/plan.js'

/** A file or folder that a rendering reads. */
export interface RenderInput {
  /** Absolute path of a file, or of a folder with all that is in it. It need not exist. */
  readonly root: string
  /** Globs below the root of what does not count. */
  readonly except: readonly string[]
}

/** What the objects are made for. */
export interface RenderTarget {
  /** Namespace of what names none. */
  readonly namespace: string
  /** Of the cluster, such as `v1.34.1`; undefined = not known. */
  readonly version: string | undefined
}

export interface ManifestRenderer {
  /**
   * All files of this machine that a rendering reads, told from what they hold now. When one of them changes, ask again.
   * Never rejects: what cannot be read is an input, too.
   */
  inputs(spec: RenderedSpec): Promise<readonly RenderInput[]>
  /**
   * The objects, in the tool's order, images not yet replaced. Several at once are fine.
   * @throws DevloopError tool/missing, render/*; AbortError
   */
  render(spec: RenderedSpec, target: RenderTarget, signal: AbortSignal): Promise<readonly ManifestObject[]>
}
