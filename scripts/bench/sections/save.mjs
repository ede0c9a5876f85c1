// One synced file saved, until the app in the pod answers with it; and the same by the floor, save by save in the same container.
import { addSaves, measureSaves } from '../saves.mjs'

/** What a save may cost: milliseconds, and how many times its floor. */
export const saveLimits = { limits: { median: 30, p99: 100 }, ratio: 3 }

export async function section({ options, small, cluster, add }) {
  const times = await measureSaves({ session: await small(), cluster: await cluster(), n: options.quick ? 10 : 60 })
  addSaves(add, { id: 'save', times, ...saveLimits })
}
