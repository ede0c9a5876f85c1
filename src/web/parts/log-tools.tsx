// The tools above log lines: search, filters, follow.
import type { ComponentChildren } from 'preact'
import type { LogRow } from '../log-buffer.js'
import { usePage } from '../page-context.js'
import { Icon } from './icon.js'
import type { LogSettings } from './log-pane.js'

export interface LogToolsProps {
  readonly settings: LogSettings
  readonly set: (change: Partial<LogSettings>) => void
  readonly search: (query: string) => void
  readonly toMatch: (by: 1 | -1) => void
  /** Undefined = nothing is searched for. */
  readonly found: { readonly count: number; /** From 0. */ readonly index: number | undefined } | undefined
  /** How many are shown. */
  readonly lines: number
  readonly children: ComponentChildren
}

export function LogTools({ settings, set, search, toMatch, found, lines, children }: LogToolsProps) {
  const page = usePage()
  const { level, only, follow, query } = settings
  const none = found === undefined || found.count === 0
  return (
    <div class="log-tools">
      <span class="search">
        <input
          type="search"
          data-search
          placeholder="Search"
          aria-label="Search the log"
          value={query}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => search(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') toMatch(event.shiftKey ? -1 : 1)
          }}
        />
        <output class="search-count" aria-live="polite">
          {found && countText(found)}
        </output>
      </span>
      <button
        type="button"
        class="button"
        data-previous
        disabled={none}
        onClick={() => toMatch(-1)}
        title="Previous (N)"
        aria-label="Previous line that was found"
      >
        <Icon name="previous" />
      </button>
      <button
        type="button"
        class="button"
        data-next
        disabled={none}
        onClick={() => toMatch(1)}
        title="Next (n)"
        aria-label="Next line that was found"
      >
        <Icon name="next" />
      </button>
      <button
        type="button"
        class="button"
        aria-pressed={only}
        onClick={() => set({ only: !only })}
        title="Show only lines that hold what is searched for"
        aria-label="Only lines that were found"
      >
        <Icon name="filter" />
      </button>
      {children}
      <select aria-label="Level" value={level} onChange={(event) => set({ level: event.currentTarget.value as LogRow['level'] })}>
        <option value="info">All levels</option>
        <option value="warn">Warnings and errors</option>
        <option value="error">Errors</option>
      </select>
      <span class="log-count quiet small">{lines.toLocaleString('en')} lines</span>
      <button
        type="button"
        class="button"
        data-follow
        aria-pressed={follow}
        onClick={() => set({ follow: !follow })}
        title="Follow (f)"
      >
        <Icon name="follow" />
        <span>Follow</span>
      </button>
      <button
        type="button"
        class="button"
        onClick={() => page.clearLogs()}
        title="Forget the lines that this page holds"
        aria-label="Clear the log"
      >
        <Icon name="clear" />
      </button>
    </div>
  )
}

const countText = ({ count, index }: { readonly count: number; readonly index: number | undefined }): string =>
  count === 0
    ? 'none'
    : index === undefined
      ? count.toLocaleString('en')
      : `${(index + 1).toLocaleString('en')} of ${count.toLocaleString('en')}`
