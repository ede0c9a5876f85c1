// Whether what a resource is made from must be prepared (again) now: objects rendered by a tool, values of a config read. Pure.
import { isPrepared } from '../model/plan.js'
import type { ResourceState, State } from '../model/state.js'
import { renderKey } from './resource-status.js'

export type RenderNeed =
  /** What was rendered is what is wanted, or nothing is rendered for this resource. */
  | { readonly kind: 'none' }
  | { readonly kind: 'render'; readonly key: string }
  | { readonly kind: 'wait'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string; readonly retryAt: number | undefined }

/** What is being done, for people. */
export const preparingText = ({ kind }: { readonly kind: string }): string =>
  kind === 'config' ? 'its values are being read' : 'its objects are being rendered'

export function renderNeed(state: State, resource: ResourceState, now: number): RenderNeed {
  const spec = state.plan?.resources[resource.name]
  if (!isPrepared(spec)) return { kind: 'none' }
  const { sources, rendered } = resource
  if (sources?.error) return { kind: 'failed', why: sources.error.message, retryAt: undefined }
  const key = renderKey(state, resource)
  if (key === undefined) return { kind: 'wait', why: 'its files are being read' }
  if (rendered?.key !== key) return { kind: 'render', key }
  if (rendered.status === 'running') return { kind: 'wait', why: preparingText(spec) }
  if (rendered.status === 'done') return { kind: 'none' }
  const { retryAt } = rendered
  return retryAt !== undefined && retryAt <= now
    ? { kind: 'render', key }
    : { kind: 'failed', why: spec.kind === 'config' ? 'its values could not be read' : 'rendering it failed', retryAt }
}
