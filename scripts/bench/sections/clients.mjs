// 20 clients while 100 resources change and 5,000 lines of log a second pass for a minute: what it costs the daemon and a save, and
// whether everybody has the same state in the end. In the process runtime, with real processes.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openInspector } from '../inspector.mjs'
import { pauseBetween } from '../pause.mjs'
import { median } from '../stats.mjs'
import { memory, processorMs } from '../usage.mjs'
import { openProcess, writeProcessProject } from './process.mjs'

const jobs = 100
const writers = 10
const linesEach = 500
/** Each of the jobs runs every 10 s: it is seen, waits, runs and is done. */
const jobsPerSecond = 10

/** Writes its share of lines each 20 ms while the file `go` is there. */
const writerSource = `import { existsSync } from 'node:fs'
let owed = 0
let count = 0
let last = performance.now()
setInterval(() => {
  const now = performance.now()
  owed = existsSync('go') ? owed + ((now - last) * ${linesEach}) / 1000 : 0
  last = now
  let text = ''
  for (; owed >= 1; owed--) text += 'line ' + ++count + ' of a process that has much to say ' + 'x'.repeat(40) + '\\n'
  if (text) process.stdout.write(text)
}, 20)
`

export async function section({ options, home, root, launcher, cleanup, add, say }) {
  if (process.platform !== 'linux') return 'it reads /proc, which only Linux has'
  const plan = options.quick ? { seconds: 8, warmSeconds: 5, saves: 10 } : { seconds: 60, warmSeconds: 15, saves: 100 }
  const name = (word, i) => `${word}-${String(i).padStart(3, '0')}`
  const project = await writeProcessProject(home, 'clients', {
    settings: '\n  settings: { parallel: { locals: 4 } },',
    resources: [
      ...Array.from({ length: jobs }, (_, i) => `local('${name('job', i)}', { run: ['true'], watch: 'jobs/${i}.txt' })`),
      ...Array.from({ length: writers }, (_, i) => `local('${name('writer', i)}', { serve: ['node', 'writer.mjs'] })`),
    ],
  })
  await mkdir(join(project.folder, 'jobs'))
  await writeFile(join(project.folder, 'writer.mjs'), writerSource)
  for (let i = 0; i < jobs; i++) writeFileSync(join(project.folder, 'jobs', `${i}.txt`), 'first\n')
  const go = join(project.folder, 'go')
  const preload = fileURLToPath(new URL('../loop-delay.mjs', import.meta.url))
  const session = await openProcess(launcher, project, { nodeArgs: ['--inspect=127.0.0.1:0', '--import', preload] })
  const inspector = await openInspector(session.daemon)
  const probe = session.probe()
  session.client.logs({ resources: [''] }, () => {})

  const saves = async (n, untilMs = Infinity) => {
    const values = []
    for (let i = 0; i < n && performance.now() < untilMs; i++) {
      values.push(await save(session, probe, i))
      await pauseBetween(100, 300)
    }
    return values
  }
  await saves(5)
  await inspector.loopDelay()
  const before = await saves(plan.saves)
  const delayBefore = await inspector.loopDelay()

  const library = join(options.dist ?? join(root, 'dist'), 'client.js')
  const clients = fork(fileURLToPath(new URL('../clients-process.mjs', import.meta.url)), [
    await session.daemon.socket(),
    library,
  ])
  const endClients = cleanup.add('clients', () => clients.kill('SIGKILL'))
  const ask = async (word) => {
    clients.send(word)
    const [answer] = await once(clients, 'message')
    return answer
  }
  await once(clients, 'message')
  await writeFile(go, '')
  const touching = startTouching(join(project.folder, 'jobs'), cleanup)
  say('clients: warming up')
  await delay(plan.warmSeconds * 1_000)

  const [start, peak] = [await inspector.memory(), watchMemory(session.daemon.pid)]
  const countsBefore = await ask('counts')
  const cpu = await processorMs(session.daemon.pid)
  const runsBefore = touching.count()
  await inspector.loopDelay()
  const begin = performance.now()
  const during = await saves(Infinity, begin + plan.seconds * 1_000)
  const seconds = (performance.now() - begin) / 1_000
  const late = await inspector.loopDelay()
  const daemonCpu = (await ownMs(session.daemon.pid, cpu)) / seconds / 10
  const counts = await ask('counts')
  const changed = touching.count() - runsBefore
  touching.stop()
  await rm(go)
  await delay(1_000)
  const outcome = await ask('check')
  const end = await inspector.memory()
  const rss = peak.stop()
  inspector.close()
  probe.close()
  await endClients()
  await session.daemon.stop()
  if (outcome.wrong) throw new Error(outcome.wrong)
  const perSecond = counts.lines.map((lines, i) => Math.round((lines - countsBefore.lines[i]) / seconds))
  const load = `${perSecond.join(', ')} lines a second to the three that follow, ${Math.round(changed / seconds)} resources touched a second, ${outcome.reconnected} reconnects, ${outcome.dropped.join(', ')} lines dropped${outcome.stalledClosed ? ', the stalled client was disconnected' : ''}; all live clients have the same state`
  // a load that was less proves nothing
  if (Math.min(...perSecond) < 0.95 * writers * linesEach) throw new Error(`the load was less than it should be: ${load}`)
  add({
    id: 'clients.save',
    what: 'save until an HTTP answer holds it, beside 20 clients and much to tell',
    values: during,
    note: load,
  })
  add({ id: 'clients.before', what: 'the same before, with one client and nothing to tell', values: before })
  add({
    id: 'clients.ratio',
    what: 'the two of them (medians)',
    unit: '×',
    values: [median(during) / median(before)],
    limits: { median: 2 },
  })
  add({
    id: 'clients.delay',
    what: "delay of the daemon's event loop, p99",
    values: [late.p99],
    limits: { median: 20 },
    note: `of ${late.n} looks: median ${late.p50.toFixed(1)} ms, longest ${late.max.toFixed(1)} ms; before: p99 ${delayBefore.p99.toFixed(1)} ms`,
  })
  add({
    id: 'clients.cpu',
    what: 'processor of one core that the daemon took (with its children)',
    unit: '%',
    values: [daemonCpu],
  })
  add({
    id: 'clients.heap',
    what: 'growth of the heap (after collection) in that time',
    unit: 'MB',
    values: [end.heap - start.heap],
    limits: { median: 20 },
    note: `from ${start.heap.toFixed(1)} MB to ${end.heap.toFixed(1)} MB`,
  })
  add({ id: 'clients.memory', what: "most resident memory of the daemon's process meanwhile", unit: 'MB', values: [rss] })
  return undefined
}

const ownMs = async (pid, before) => (await processorMs(pid)) - before

async function save({ project }, probe, i) {
  const text = `clients ${i} ${Date.now()} ${'x'.repeat(200)}\n`
  const start = performance.now()
  writeFileSync(join(project.context, 'files/value.txt'), text)
  const { at } = await probe.until('/read?files/value.txt', (answer) => answer === text)
  return at - start
}

/** Writes the files of the jobs one after the other, at even distances. */
function startTouching(folder, cleanup) {
  let count = 0
  const begin = performance.now()
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begin) / 1_000) * jobsPerSecond)
    for (; count < due; count++) writeFileSync(join(folder, `${count % jobs}.txt`), `${count}\n`)
  }, 1_000 / jobsPerSecond)
  const stop = cleanup.add('touching files', () => clearInterval(timer))
  return { count: () => count, stop }
}

/** The most resident memory of a process, looked at every second. */
function watchMemory(pid) {
  let most = 0
  const look = async () => {
    const { processes } = await memory(pid)
    most = Math.max(most, processes[0]?.mb ?? 0)
  }
  const timer = setInterval(() => void look().catch(() => {}), 1_000)
  return {
    stop() {
      clearInterval(timer)
      return most
    },
  }
}
