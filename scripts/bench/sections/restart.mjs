// A file saved that restarts the process in the container, until the new process answers.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stagesSince } from '../devloop.mjs'
import { expectOneProcess } from '../one-process.mjs'
import { pauseBetween } from '../pause.mjs'
import { medians } from '../stats.mjs'

export async function section({ options, small, cluster, add }) {
  const session = await small()
  const probe = session.probe()
  const check = expectOneProcess({ session, cluster: await cluster(), program: 'node' })
  const { values, starts, stages } = await measureRestarts(session, probe, options.quick ? 4 : 200)
  probe.close()
  const note = await check()
  add({
    id: 'restart',
    what: 'save a file with a restart rule until the new process answers',
    values,
    stages: medians(stages),
    note: `after all of them: ${note}`,
  })
  add({ id: 'restart.app', what: "the app's own start in there, until it listens", values: starts })
}

/** @param session with `project.context` and `changes` */
export async function measureRestarts(session, probe, n) {
  const file = join(session.project.context, 'src/version.js')
  const values = []
  const starts = []
  const stages = []
  for (let i = -1; i < n; i++) {
    const version = `v${Date.now()}`
    const saved = performance.timeOrigin + performance.now()
    const start = performance.now()
    writeFileSync(file, `export const version = '${version}'\n`)
    const { at, text } = await probe.until('/version', (answer) => answer.startsWith(version))
    const change = await session.changes.settled(saved)
    if (i >= 0) {
      values.push(at - start)
      starts.push(Number(text.split(' ')[1]))
      stages.push({ ...stagesSince(change, saved), answer: at - start })
    }
    await pauseBetween(300, 500)
  }
  return { values, starts, stages }
}
