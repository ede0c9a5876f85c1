// How a resource of a test takes part in the graph, unless the test says otherwise.
import type { GraphSettings } from '../../src/model/plan.js'

/** Needs nothing and starts at once. */
export const plainGraph: GraphSettings = { needs: [], rebuildAfter: [], labels: [], auto: true, trigger: 'auto', enabled: true }
