// The Devloopfile saved with another plan in it, until that plan is in force.
import { writeFileSync } from 'node:fs'
import { pauseBetween } from '../pause.mjs'

export async function section({ options, small, add }) {
  const session = await small()
  const { values, loads } = await measureReloads(session, options.quick ? 4 : 20)
  add({ id: 'reload', what: 'save the Devloopfile until the new plan is in force', values, limits: { median: 100 } })
  add({ id: 'reload.load', what: 'of it: bundling and evaluating, as the daemon says', values: loads })
}

/** Each save adds a local resource or takes it away. Seen by a client, which is a little later than it is so. */
export async function measureReloads({ project, client }, n) {
  const values = []
  const loads = []
  for (let i = 0; i < n + 2; i++) {
    const locals = (i + 1) % 2
    const before = client.get('session', 'session').devloopfile.generation
    const start = performance.now()
    writeFileSync(project.devloopfile, project.devloopfileText(locals))
    const { at, session } = await client.waitFor((views) => {
      const session = views.get('session/session')
      const there = views.has('resource/extra-1')
      return session.devloopfile.generation > before && there === (locals === 1) ? { at: performance.now(), session } : undefined
    })
    // the first two load what is loaded once
    if (i >= 2) {
      values.push(at - start)
      loads.push(session.devloopfile.loadMs ?? 0)
    }
    await client.waitFor((views) => views.get('session/session').ready)
    await pauseBetween(200, 400)
  }
  return { values, loads }
}
