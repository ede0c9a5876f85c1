// Whether a resource whose objects a tool makes must be rendered (again) now. Pure.
import { isRendered } from '../model/plan.js'
import type { ResourceState, State } from '../model/state.js'
import { renderKey } from './resource-status.js'

export type RenderNeed =
  /** What was rendered is what is wanted, or nothing is rendered for this resource. */
  | { readonly kind: 'none' }
  | { readonly kind: 'render'; readonly key: string }
  | { readonly kind: 'wait'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string; readonly retryAt: number | undefined }

export function renderNeed(state: State, resource: ResourceState, now: number): RenderNeed {
  if (!isRendered(state.plan?.resources[resource.name])) return { kind: 'none' }
  const { sources, rendered } = resource
  if (sources?.error) return { kind: 'failed', why: sources.error.message, retryAt: undefined }
  const key = renderKey(state, resource)
  if (key === undefined) return { kind: 'wait', why: 'its files are being read' }
  if (rendered?.key !== key) return { kind: 'render', key }
  if (rendered.status === 'running') return { kind: 'wait', why: 'its objects are being rendered' }
  if (rendered.status === 'done') return { kind: 'none' }
  const { retryAt } = rendered
  return retryAt !== undefined && retryAt <= now
    ? { kind: 'render', key }
    : { kind: 'failed', why: 'rendering it failed', retryAt }
}
