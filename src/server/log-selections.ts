// What one client wants of the logs: a few places in the ring, each with its filter. Nothing is queued; a message is made when asked for.
import type { LogMessage, LogSelection } from '../protocol/messages.js'
import type { LogReader, LogRing } from '../store/log-ring.js'
import type { ServerLimits } from './limits.js'

export interface LogSelections {
  /**
   * Begins or replaces the selection with this id; null ends it. Returns what is wrong with it.
   * @param sameEpoch whether its cursor is one of this daemon
   */
  select(id: number, selection: LogSelection | null, sameEpoch: boolean): string | undefined
  /** The next message; `more`: nothing yet, since many lines were passed over, and there are others to look at; undefined: nothing. */
  next(): LogMessage | 'more' | undefined
}

interface Selected {
  readonly id: number
  readonly reader: LogReader
  /** Whether the client is to hear, even when there is nothing to show, that this was all: of a new selection, or after a part. */
  answerDue: boolean
  /** The cursor that the client knows. */
  told: number
}

/** Without any selection at first. */
export function createLogSelections(
  logs: LogRing,
  limits: Pick<ServerLimits, 'logBytes' | 'logLines' | 'logLooked' | 'logSelections'>,
): LogSelections {
  /** In the order in which they have their turn. */
  const selections: Selected[] = []

  function startOf({ after, tail, ...wish }: LogSelection, sameEpoch: boolean): number {
    if (after !== undefined) return sameEpoch ? after : 0
    if (tail === undefined && wish.since !== undefined) return 0
    const newest = logs.tail(tail ?? 0, wish)
    return newest[0] ? newest[0].cursor - 1 : logs.lastCursor
  }

  return {
    select(id, selection, sameEpoch) {
      const index = selections.findIndex((one) => one.id === id)
      if (selection && index < 0 && selections.length >= limits.logSelections)
        return `A client may have ${limits.logSelections} log selections at once; end one of them.`
      const { after: _after, tail: _tail, ...wish } = selection ?? {}
      if (index >= 0) selections.splice(index, 1)
      if (!selection) return undefined
      const after = startOf(selection, sameEpoch)
      selections.push({ id, reader: logs.reader({ ...wish, after }), answerDue: true, told: after })
      return undefined
    },
    next() {
      for (const one of [...selections]) {
        const read = one.reader.read({
          maxBytes: limits.logBytes,
          maxLines: limits.logLines,
          maxLooked: limits.logLooked,
        })
        // Its cursor is told now and then: behind an old one, lines that were passed over would count as missed after a resume.
        const isFar = read.cursor - one.told >= limits.logLooked
        const isNews = read.lines.length > 0 || read.dropped > 0 || (read.caughtUp && (one.answerDue || isFar))
        if (!isNews && read.caughtUp) continue
        if (!isNews) return 'more'
        one.answerDue = !read.caughtUp
        one.told = read.cursor
        // so that one that always has news does not keep the others from theirs
        selections.splice(selections.indexOf(one), 1)
        selections.push(one)
        return { type: 'log', id: one.id, ...read }
      }
      return undefined
    },
  }
}
