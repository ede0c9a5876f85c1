// One line of log: in its row, and whole when it is chosen.
import { lineSpans } from '../ansi-spans.js'
import type { LogRow } from '../log-buffer.js'
import { clock } from './age.js'
import { CopyButton } from './error-block.js'
import { Icon } from './icon.js'

export interface LogLineProps {
  readonly row: LogRow
  /** In lower case. */
  readonly query: string
  /** Whether to say whose it is. */
  readonly named: boolean
  readonly chosen: boolean
  readonly choose: () => void
}

export const LogLine = ({ row, query, named, chosen, choose }: LogLineProps) => (
  <div class={`log-row level-${row.level}${chosen ? ' log-chosen' : ''}`} onClick={choose}>
    <span class="log-time">{clock(row.at)}</span>
    {named && <span class={`log-label hue-${hueOf(row.label)}`}>{row.label}</span>}
    <span class="log-text">
      <Spans text={row.text} query={query} />
    </span>
  </div>
)

const Spans = ({ text, query }: { readonly text: string; readonly query: string }) => (
  <>
    {lineSpans(text, query).map(({ text: piece, className, colour, found }, index) => {
      const style = colour === undefined ? {} : { style: { '--own': `rgb(${colour})` } }
      const name = `${className}${colour === undefined ? '' : ' ansi-own'}`.trim()
      if (found)
        return (
          <mark key={index} class={name}>
            {piece}
          </mark>
        )
      return (
        <span key={index} class={name} {...style}>
          {piece}
        </span>
      )
    })}
  </>
)

/** A line that is longer than its row, wrapped. */
export const LogLineWhole = ({ row, close }: { readonly row: LogRow; readonly close: () => void }) => (
  <div class="log-whole" role="group" aria-label="The chosen line">
    <div class="log-whole-head">
      <span class="quiet small">
        {new Date(row.at).toLocaleString()} · {row.label} · {row.level}
      </span>
      <CopyButton text={row.plain} what="the line" />
      <button type="button" class="button-quiet" onClick={close} aria-label="Close" title="Close">
        <Icon name="close" />
      </button>
    </div>
    <pre class="words" tabIndex={0} role="group" aria-label="Text of the line">
      {row.plain}
    </pre>
  </div>
)

/** One of eight colours, the same for the same label. */
function hueOf(label: string): number {
  let sum = 0
  for (let i = 0; i < label.length; i++) sum = (sum * 31 + label.charCodeAt(i)) >>> 0
  return sum % 8
}
