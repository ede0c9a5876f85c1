// The state at the start.
import { noLatencies } from '../model/latency.js'
import type { SessionState, State } from '../model/state.js'

export function initialState(session: Omit<SessionState, 'phase'>, devloopfile: string): State {
  return {
    session: { ...session, phase: 'starting' },
    runtime: { status: 'connecting', generation: 0 },
    devloopfile: { file: devloopfile, status: 'loading', generation: 0, wanted: 1, loaded: 0 },
    plan: null,
    images: {},
    resources: {},
    removals: {},
    targets: {},
    forwards: {},
    links: {},
    changes: {},
    today: { day: '', synced: noLatencies, rebuilt: noLatencies },
    switches: {},
    problems: {},
    warnings: {},
  }
}
