// One change from save to live: a bar of its stages, each as long as it took, and the same in words.
import { stageSpans, type StageSpan } from '../../client/status/change-words.js'
import { timeSpan } from '../../client/status/time-span.js'
import type { ChangeView } from '../../protocol/messages.js'
import { usePage } from '../page-context.js'

export function Stages({ change }: { readonly change: ChangeView }) {
  const now = usePage().now.value
  // where nothing was waited for after the last stage, `live` says nothing more
  const spans = stageSpans(change).filter(({ stage, fromMs, toMs }) => stage !== 'live' || toMs > fromMs)
  const last = spans.at(-1)?.toMs ?? 0
  if (spans.length === 0) return null
  const rest = restOf(change, last, now)
  const bars = [...spans, ...(rest ? [rest] : [])]
  const total = Math.max(1, rest?.toMs ?? last)
  return (
    <div class="stages">
      <svg
        class="stages-bar"
        viewBox="0 0 1000 12"
        preserveAspectRatio="none"
        role="img"
        aria-label={spans.map(words).join(', ')}
      >
        {bars.map(({ stage, fromMs, toMs }, index) => (
          <rect
            key={index}
            class={`stage stage-${stage}`}
            x={(fromMs / total) * 1000}
            y="0"
            height="12"
            // what took no time is there nevertheless
            width={Math.max(3, ((toMs - fromMs) / total) * 1000)}
          />
        ))}
      </svg>
      <ol class="stages-words">
        {spans.map((span, index) => (
          <li key={index}>
            <span class={`swatch stage-${span.stage}`} aria-hidden="true" />
            {span.stage}
            {span.detail !== undefined && <span class="quiet"> {span.detail}</span>} <b>{timeSpan(span.toMs - span.fromMs)}</b>
          </li>
        ))}
      </ol>
    </div>
  )
}

/** What follows the stages of a change that is not live: the time that it goes on already, or the end of it. */
function restOf({ outcome, at }: ChangeView, fromMs: number, now: number): StageSpan | undefined {
  if (outcome === 'pending') return { stage: 'pending', fromMs, toMs: Math.max(fromMs, now - at) }
  // when it failed is not told: the bar only says that it went no further
  return outcome === 'failed' ? { stage: 'failed', fromMs, toMs: fromMs * 1.5 + 1 } : undefined
}

const words = ({ stage, fromMs, toMs }: StageSpan): string => `${stage} ${timeSpan(toMs - fromMs)}`
