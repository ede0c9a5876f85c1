// The log selections of a client, kept up over reconnects.
import { DevloopError } from '../errors/devloop-error.js'
import { maxLogSelections, maxLogText } from '../protocol/discovery.js'
import type { LogMessage, LogSelection } from '../protocol/messages.js'

export interface LogSubscriptions {
  /** Begins one; returns what ends it. Throws protocol/invalid when there are too many, or its text is too long. */
  add(selection: LogSelection, onLines: (message: LogMessage) => void): () => void
  /** A connection is open: have the daemon send what was not sent yet. `isOther`: it is not the daemon of the last time. */
  begin(isOther: boolean): void
  /** The connection is lost. */
  pause(): void
  receive(message: LogMessage): void
}

interface Subscription {
  readonly selection: LogSelection
  readonly onLines: (message: LogMessage) => void
  /** Everything up to here was received. */
  cursor: number | undefined
}

/** Without any at first, and not connected. */
export function createLogSubscriptions(send: (message: object) => void): LogSubscriptions {
  const subscriptions = new Map<number, Subscription>()
  let isOpen = false
  let lastId = 0

  function ask(id: number, { selection, cursor }: Subscription): void {
    if (isOpen) send({ type: 'logs', id, logs: { ...selection, ...(cursor !== undefined && { after: cursor }) } })
  }

  return {
    add(selection, onLines) {
      if (subscriptions.size >= maxLogSelections)
        throw new DevloopError('protocol/invalid', `A client may have ${maxLogSelections} log selections at once.`, {
          help: 'End one of them, or select the lines of several resources in one.',
        })
      // the daemon would say so to nobody in particular
      if ((selection.text?.length ?? 0) > maxLogText)
        throw new DevloopError('protocol/invalid', `The text that lines are to hold may have ${maxLogText} characters at most.`, {
          help: 'Look for a part of it.',
        })
      const own: Subscription = { selection, onLines, cursor: undefined }
      // never used twice, so that what is still under way for one that ended is told from the others
      const id = ++lastId
      subscriptions.set(id, own)
      ask(id, own)
      return () => {
        if (subscriptions.delete(id) && isOpen) send({ type: 'logs', id, logs: null })
      }
    },
    begin(isOther) {
      isOpen = true
      for (const [id, own] of subscriptions) {
        // all that another daemon has is new
        if (isOther && own.cursor !== undefined) own.cursor = 0
        ask(id, own)
      }
    },
    pause() {
      isOpen = false
    },
    receive(message) {
      const own = subscriptions.get(message.id)
      if (!own) return
      own.cursor = message.cursor
      own.onLines(message)
    },
  }
}
