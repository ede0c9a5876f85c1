// A program in Go that starts in 10 ms, restarted by a file that it reads at its start, and replaced by another build of itself.
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stagesSince } from '../devloop.mjs'
import { openRestartFloor } from '../floor.mjs'
import { hasGo, writeGoProject } from '../go-project.mjs'
import { expectOneProcess } from '../one-process.mjs'
import { pauseBetween } from '../pause.mjs'
import { createProbe } from '../probe.mjs'
import { port } from '../project.mjs'
import { median, medians } from '../stats.mjs'

export async function section({ options, registry, project, open, cluster, folder, add }) {
  if (!(await hasGo())) return 'it needs Go, to build the app'
  const kube = await cluster()
  const architecture = await kube.architecture()
  if (!architecture) return 'the nodes have different architectures, and one program cannot run on all of them'
  const made = await project('go', { write: writeGoProject, base: `${registry}/testbed/busybox:1`, architecture })
  const session = await open(made)
  const check = expectOneProcess({ session, cluster: kube, program: 'server' })
  const n = options.quick ? 4 : 200

  // beside it in the container, on a port of its own, the floor's own program
  const floorPort = port + 1
  const floor = await openRestartFloor(kube, session.target(), {
    program: '/app/floor/server',
    from: '/app/bin/server',
    env: { PORT: floorPort, VALUE: '/app/floor/value.txt' },
  })
  const probe = session.probe()
  const floorProbe = createProbe(probe.host, floorPort)
  const text = (i) => `value ${i} ${Date.now()}`
  const value = await measure({
    session,
    n,
    devloop: (i) => {
      const wanted = text(i)
      return { begin: () => writeFileSync(join(made.context, 'files/value.txt'), wanted), probe, wanted }
    },
    floor: (i) => {
      const wanted = text(i)
      return { begin: () => floor.put('/app/floor/value.txt', Buffer.from(wanted)), probe: floorProbe, wanted }
    },
  })
  // in a folder that nobody watches
  const beside = join(await folder('beside'), 'server')
  const build = await measure({
    session,
    n,
    devloop: () => {
      const { name, bytes } = made.anotherBuild()
      // whole and with its mode, as a linker leaves it
      writeFileSync(beside, bytes, { mode: 0o755 })
      return { begin: () => renameSync(beside, made.program), probe, wanted: name }
    },
    floor: () => {
      const { name, bytes } = made.anotherBuild()
      return { begin: () => floor.put('/app/floor/server', bytes), probe: floorProbe, wanted: name }
    },
  })
  await floor.close()
  probe.close()
  floorProbe.close()
  const note = `after all of them: ${await check()}`
  await session.close()
  await made.removeNamespace()

  const rows = (id, what, times) => {
    add({ id, what, values: times.devloop, stages: medians(times.stages), note })
    add({
      id: `${id}.process`,
      what: 'of that, from all of it written until the new process answers',
      values: times.stages.map(({ written, answer }) => answer - written),
      limits: { median: 80 },
    })
    add({
      id: `${id}.floor`,
      what: 'the same by a stream made by hand, whose shell ends the program and starts it again',
      values: times.floor,
    })
    add({
      id: `${id}.ratio`,
      what: `${id} / its floor (medians)`,
      unit: '×',
      values: [median(times.devloop) / median(times.floor)],
    })
  }
  rows('restart-go', 'save a file that a Go program of 10 ms start is restarted for, until the new process answers', value)
  const megabytes = (made.programBytes / 1e6).toFixed(1)
  rows('restart-go.build', `save another build of that program (${megabytes} MB) until the new process answers`, build)
  return undefined
}

/**
 * One and the other by turns.
 * @param devloop and `floor` prepare one: `begin` is what is timed, until `probe` answers with what is wanted
 */
async function measure({ session, n, devloop, floor }) {
  const times = { devloop: [], floor: [], stages: [] }
  const timed = async ({ begin, probe, wanted }) => {
    const saved = performance.timeOrigin + performance.now()
    const start = performance.now()
    const begun = begin()
    const [{ at }] = await Promise.all([probe.until('/version', (answer) => answer.includes(wanted)), begun])
    return { ms: at - start, saved }
  }
  const byDevloop = async (i) => {
    const { ms, saved } = await timed(devloop(i))
    const change = await session.changes.settled(saved)
    if (i < 0) return
    times.devloop.push(ms)
    times.stages.push({ ...stagesSince(change, saved), answer: ms })
  }
  const byFloor = async (i) => {
    const { ms } = await timed(floor(i))
    if (i >= 0) times.floor.push(ms)
  }
  // the first two warm both up
  for (let i = -2; i < n; i++) {
    const both = [byDevloop, byFloor]
    for (const one of i % 2 === 0 ? both : both.toReversed()) {
      await one(i)
      await pauseBetween(100, 250)
    }
  }
  return times
}
