// Helm releases: installing, upgrading and uninstalling them, by a tool of this machine.
import type { ReleaseSpec } from '../model/plan.js'
import type { SourcePosition } from '../errors/devloop-error.js'

/** One release in one cluster. */
export interface ReleasePlace {
  /** The resource that it belongs to, for errors. */
  readonly resource: string
  readonly name: string
  readonly namespace: string
  /** Of a kubeconfig that leads to the guarded cluster and nowhere else. Holds credentials. */
  readonly kubeconfig: string
  /** Undefined when the resource has left the Devloopfile. */
  readonly at: SourcePosition | undefined
}

export interface ReleaseUpgrade extends ReleasePlace {
  readonly spec: ReleaseSpec
  /** A hook that runs an image of the project, if there is one. */
  readonly hookImage: { readonly hook: string; readonly reference: string; readonly at: SourcePosition } | undefined
  /** Labels of the release itself. */
  readonly labels: Readonly<Record<string, string>>
  /**
   * Gets the YAML documents that the chart gives for this cluster, and gives those that are applied. Helm 4 hands over the hooks, too. What it
   * throws is what `upgrade` throws.
   */
  readonly finish: (manifest: string) => string
  /** Gets what Helm says to people. */
  readonly onOutput?: (line: string) => void
}

export interface ReleaseRemoval extends ReleasePlace {
  /** Wait until all of it is gone, pods included. */
  readonly wait: boolean
  /** Milliseconds for a hook, and for what is waited for. */
  readonly timeoutMs: number
}

export interface ReleaseTool {
  /**
   * What stands for everything that a chart is made of: with the same, the same spec gives the same release. Of a chart of this machine the
   * content of its files, of one from elsewhere what it was rendered to, unless its version says it all.
   */
  chartKey(spec: ReleaseSpec): Promise<string>
  /**
   * Install, or upgrade to, what the spec says. Once begun it is not cut; an abort gives it a moment to end, and else lets Helm note that it was
   * cancelled. @throws DevloopError release/failed, release/pending, tool/*, what `finish` throws; AbortError
   */
  upgrade(run: ReleaseUpgrade, signal: AbortSignal): Promise<void>
  /** What `upgrade` would hand to the cluster, hooks included, with nothing changed. @throws as `upgrade` */
  tryUpgrade(run: ReleaseUpgrade, signal: AbortSignal): Promise<string>
  /** The YAML documents of the newest revision; `hooks`: those of its hooks, too. @throws DevloopError release/failed, tool/*; AbortError */
  manifest(place: ReleasePlace, hooks: boolean, signal: AbortSignal): Promise<string>
  /** Gone already is no error. @throws DevloopError release/failed, tool/* */
  uninstall(run: ReleaseRemoval): Promise<void>
}
