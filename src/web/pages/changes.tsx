// The newest changes from save to live: all of them in one picture, then each with its stages.
import { changeEnd, changeTitle } from '../../client/status/change-words.js'
import { timeSpan } from '../../client/status/time-span.js'
import { changesOf } from '../../client/status/views.js'
import type { ChangeView } from '../../protocol/messages.js'
import { usePage } from '../page-context.js'
import { ChangeItem } from '../parts/change-item.js'

export function ChangesPage() {
  const changes = changesOf(usePage().views.value)
  if (changes.length === 0) return <p class="empty">Nothing was saved since devloop started. Save a file, and it shows here.</p>
  return (
    <>
      <h2>From save to live</h2>
      <Picture changes={changes} />
      <ul class="changes" aria-label="Changes, the newest first">
        {changes.toReversed().map((change) => (
          <ChangeItem change={change} key={change.name} />
        ))}
      </ul>
    </>
  )
}

const box = { width: 1192, height: 170, left: 56, bottom: 8, top: 10 }

/** Each change a point: the newest at the right, the slower the higher, on a scale in powers of ten. */
function Picture({ changes }: { readonly changes: readonly ChangeView[] }) {
  const timed = changes.flatMap((change) => (change.liveMs === undefined ? [] : [{ change, ms: Math.max(1, change.liveMs) }]))
  if (timed.length < 2) return null
  const low = Math.floor(Math.log10(Math.min(...timed.map(({ ms }) => ms))))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...timed.map(({ ms }) => ms)))))
  const y = (ms: number): number =>
    box.height - box.bottom - ((Math.log10(ms) - low) / (high - low)) * (box.height - box.bottom - box.top)
  const step = (box.width - box.left - 28) / Math.max(11, timed.length - 1)
  const powers = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i))
  return (
    <svg
      class="picture"
      viewBox={`0 0 ${box.width} ${box.height}`}
      role="img"
      aria-label={`Times of ${timed.length} changes from save to live`}
    >
      {powers.map((ms) => (
        <g key={ms}>
          <line class="picture-line" x1={box.left} x2={box.width} y1={y(ms)} y2={y(ms)} />
          <text class="picture-scale" x={box.left - 8} y={y(ms) + 4} text-anchor="end">
            {timeSpan(ms)}
          </text>
        </g>
      ))}
      {timed.map(({ change, ms }, index) => {
        const rebuilt = change.images.some(({ action }) => action === 'rebuild')
        const x = box.left + 14 + index * step
        return (
          <g key={change.name} class={rebuilt ? 'picture-rebuilt' : 'picture-synced'}>
            <line x1={x} x2={x} y1={box.height - box.bottom} y2={y(ms)} />
            <circle cx={x} cy={y(ms)} r="4.5">
              <title>{`${changeTitle(change)}: ${changeEnd(change).text}`}</title>
            </circle>
          </g>
        )
      })}
    </svg>
  )
}
