// What happened lately, for bug reports: the newest actions by name and subject, without what they carry.
import type { Action } from './actions.js'

/** An action in few words; the same several times in a row is one. */
export interface ActionNote {
  /** Milliseconds since 1970; of the newest. */
  readonly at: number
  /** Such as `build/started`. */
  readonly type: string
  /** What it was about, such as the name of an image or resource. */
  readonly subject?: string
  /** What it says in one word, such as a status, a stage or an error's code; of a patch, the names of its fields. */
  readonly detail?: string
  /** Absent = once. */
  readonly times?: number
}

export interface ActionRing {
  add(action: Action): void
  /** The newest, oldest first. */
  notes(): readonly ActionNote[]
}

const subjects = ['image', 'resource', 'target', 'consumer', 'subject', 'id', 'names'] as const
const details = ['phase', 'status', 'stage', 'outcome', 'exists', 'serve', 'local'] as const

/** @param limit how many notes are kept */
export function createActionRing(limit = 500): ActionRing {
  // nothing is moved: once all places are taken, the newest takes that of the oldest
  const kept: ActionNote[] = []
  let newest = -1
  return {
    add(action) {
      const note = noteOf(action)
      const last = kept[newest]
      if (last && last.type === note.type && last.subject === note.subject && last.detail === note.detail) {
        kept[newest] = { ...note, times: (last.times ?? 1) + 1 }
        return
      }
      newest = (newest + 1) % limit
      kept[newest] = note
    },
    notes: () => [...kept.slice(newest + 1), ...kept.slice(0, newest + 1)],
  }
}

function noteOf(action: Action): ActionNote {
  const { at, type, ...rest } = action
  const fields: Readonly<Record<string, unknown>> = rest
  const subject = subjects.map((key) => wordOf(fields[key])).find((word) => word !== undefined)
  const { error, patch } = fields as { readonly error?: { readonly code?: unknown } | null; readonly patch?: object }
  const detail = patch
    ? Object.keys(patch).join(' ')
    : (wordOf(error?.code) ?? details.map((key) => wordOf(fields[key])).find((word) => word !== undefined))
  return { at, type, ...(subject === undefined ? {} : { subject }), ...(detail === undefined ? {} : { detail }) }
}

/** Undefined = it is none. */
function wordOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.join(' ')
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}
