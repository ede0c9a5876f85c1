// The process runtime: what can be measured with Node alone.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { followChanges, stagesSince } from '../devloop.mjs'
import { measureIdle } from '../idle.mjs'
import { pauseBetween } from '../pause.mjs'
import { createProbe } from '../probe.mjs'
import { writeProject } from '../project.mjs'
import { medians } from '../stats.mjs'
import { measureReloads } from './reload.mjs'
import { measureRestarts } from './restart.mjs'

export async function section(bench) {
  const { options, home, launcher, say, add } = bench
  const project = await writeProcessProject(home, 'process')
  const starts = []
  for (let i = 0; i < (options.quick ? 2 : 6); i++) {
    const daemon = launcher.start({ devloopfile: project.devloopfile, runtime: 'process' })
    const at = await daemon.ready(daemon.connect().client)
    // the first start stages the files
    if (i > 0) starts.push(at - daemon.startedAt)
    await daemon.stop()
  }
  add({ id: 'process.start', what: 'process runtime: start until all is ready', values: starts, limits: { median: 1_500 } })

  const session = await openProcess(launcher, project)
  const probe = session.probe()
  const { values, stages } = await measureSaves(session, probe, options.quick ? 10 : 60)
  add({
    id: 'process.save',
    what: 'process runtime: save one synced file until an HTTP answer holds it',
    values,
    limits: { median: 100 },
    stages: medians(stages),
  })
  const restarts = await measureRestarts(session, probe, options.quick ? 4 : 20)
  add({
    id: 'process.restart',
    what: 'process runtime: save with a restart rule until the new process answers',
    values: restarts.values,
    stages: medians(restarts.stages),
  })
  add({ id: 'process.restart.app', what: "process runtime: the app's own start, until it listens", values: restarts.starts })
  const reloads = await measureReloads(session, options.quick ? 4 : 20)
  add({
    id: 'process.reload',
    what: 'process runtime: save the Devloopfile until the new plan is in force',
    values: reloads.values,
    limits: { median: 100 },
  })
  probe.close()
  await session.daemon.stop()

  const daemon = launcher.start({ devloopfile: project.devloopfile, runtime: 'process' })
  const why = await measureIdle({
    id: 'process.idle',
    of: 'a small project as processes (with the app itself)',
    daemon,
    limits: { cpu: 0.3 },
    options,
    say,
    add,
  })
  return why && `idle: ${why}`
}

export const writeProcessProject = (home, name, more = {}) =>
  writeProject(join(home, name), { image: `devloop-bench/${name}`, base: 'scratch', namespace: 'none', contexts: [], ...more })

/** Start the daemon of a project in the process runtime, and find where its app listens. */
export async function openProcess(launcher, project, more = {}) {
  const daemon = launcher.start({ devloopfile: project.devloopfile, runtime: 'process', ...more })
  const { client } = daemon.connect(['state', 'logs'])
  await daemon.ready(client)
  // asked directly, not through a forward; the app says which port it was given
  const port = await new Promise((resolve) => {
    client.logs({ tail: 1_000 }, ({ lines }) => {
      const said = lines.map(({ text }) => /listens on (\d+)/.exec(text)?.[1]).find(Boolean)
      if (said) resolve(Number(said))
    })
  })
  return { project, daemon, client, changes: followChanges(client), probe: () => createProbe('127.0.0.1', port) }
}

async function measureSaves({ project, changes }, probe, n) {
  const file = join(project.context, 'files/value.txt')
  const values = []
  const stages = []
  for (let i = -3; i < n; i++) {
    const text = `process ${i} ${Date.now()} ${'x'.repeat(200)}\n`
    const saved = performance.timeOrigin + performance.now()
    const start = performance.now()
    writeFileSync(file, text)
    const { at } = await probe.until('/read?files/value.txt', (answer) => answer === text)
    const change = await changes.settled(saved)
    if (i >= 0) {
      values.push(at - start)
      stages.push({ ...stagesSince(change, saved), answer: at - start })
    }
    await pauseBetween(60, 160)
  }
  return { values, stages }
}
