// The daemon with nothing to do and no client: processor time and memory of it and its children, and what its open stream costs
// in the container.
import { measureIdle } from '../idle.mjs'

export async function section({ options, small, closeSmall, launcher, cluster, say, add }) {
  const target = (await small()).target()
  const project = await closeSmall()
  const daemon = launcher.start({ devloopfile: project.devloopfile, namespace: project.namespace })
  const kube = await cluster()
  const stream = {}
  const during = async () => {
    const before = await kube.processes(target)
    return async () => Object.assign(stream, idleStream(before, await kube.processes(target)))
  }
  const limits = { cpu: 0.3, mb: 110 }
  const why = await measureIdle({ id: 'idle', of: 'a small project', daemon, limits, options, say, add, during })
  if (why) return why
  add({
    id: 'idle.stream',
    what: "idle: processor time of devloop's processes in the container",
    unit: 'ms',
    values: [stream.ms],
    limits: { median: 0 },
    note: stream.programs,
  })
  return undefined
}

/** Of all that ran before and after but the app itself. What has ended and was not waited for uses nothing any more. */
function idleStream(before, after) {
  const old = new Map(before.map(({ pid, ms }) => [pid, ms]))
  const mine = after.filter(({ pid, program, state }) => old.has(pid) && state !== 'Z' && program !== 'node')
  if (mine.length === 0) throw new Error(`devloop has no process in the container: ${JSON.stringify(after)}`)
  return {
    ms: mine.reduce((sum, { pid, ms }) => sum + ms - old.get(pid), 0),
    programs: mine.map(({ pid, program }) => `${program} (${pid})`).join(', '),
  }
}
