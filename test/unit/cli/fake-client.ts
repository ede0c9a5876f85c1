// A client without a daemon: tests set its views and log lines.
import type { DevloopClient, LogEntry, LogMessage, ViewsChange } from '../../../src/client/index.js'
import { createListeners } from '../../../src/client/listeners.js'
import { createViewMap } from '../../../src/client/view-map.js'
import type { View, ViewKey } from '../../../src/protocol/messages.js'

export interface FakeClient extends DevloopClient {
  /** One delta. */
  update(upserts: readonly View[], removes?: readonly ViewKey[]): void
  say(lines: readonly LogEntry[], dropped?: number): void
  /** How many listeners there are. */
  listening(): number
}

export function createFakeClient(): FakeClient {
  const map = createViewMap()
  let count = 0
  const views = createListeners<[ViewsChange]>()
  const logs = createListeners<[LogMessage]>()
  const counted = (end: () => void): (() => void) => {
    count++
    return () => {
      count--
      end()
    }
  }
  const never = (): never => {
    throw new Error('this fake does not do that')
  }
  return {
    state: 'open',
    error: undefined,
    daemon: undefined,
    access: 'control',
    methods: [],
    whenOpen: () => Promise.resolve(),
    views: () => map.views,
    get: never,
    onViews: (callback) => counted(views.add(callback)),
    onState: () => counted(() => {}),
    waitFor: never,
    select: never,
    logs: (_selection, callback) => counted(logs.add(callback)),
    request: never,
    close: () => {},
    update: (upserts, removes = []) => views.call(map.apply({ upserts, removes })),
    say: (lines, dropped = 0) =>
      logs.call({ type: 'log', id: 1, lines, cursor: lines.at(-1)?.cursor ?? 0, dropped, caughtUp: true }),
    listening: () => count,
  }
}
