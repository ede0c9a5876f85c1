// The daemon with nothing to do while a page, a terminal view and an editor's client are connected, and what these use themselves.
import { fork, spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { noBrowser, openBrowser } from '../browser.mjs'
import { measureIdle } from '../idle.mjs'
import { processorMs } from '../usage.mjs'
import { writeProcessProject } from './process.mjs'

export async function section(bench) {
  const { options, home, root, launcher, cleanup, noCluster, say, add } = bench
  if (process.platform !== 'linux') return 'it reads /proc, which only Linux has'
  const project = noCluster ? await writeProcessProject(home, 'idle-clients') : await bench.project('idle-clients')
  const daemon = launcher.start({
    devloopfile: project.devloopfile,
    ...(noCluster ? { runtime: 'process' } : { namespace: project.namespace }),
  })
  const { client, close } = daemon.connect()
  await daemon.ready(client, 600_000)
  const dist = options.dist ?? join(root, 'dist')
  const clients = [
    await openPage(await daemon.discovery(), home, cleanup),
    await openTerminal(join(dist, 'cli.js'), project.devloopfile, daemon.env, cleanup),
    await openEditor(await daemon.socket(), join(dist, 'client.js'), cleanup),
  ]
  close()
  const missing = clients.filter((one) => one.missing)
  if (missing.length > 0) {
    await daemon.stop()
    return missing.map((one) => one.missing).join('; ')
  }
  const used = []
  const during = async () => {
    const begin = performance.now()
    const before = await Promise.all(clients.map(({ pid }) => processorMs(pid)))
    return async () => {
      const after = await Promise.all(clients.map(({ pid }) => processorMs(pid)))
      const ms = performance.now() - begin
      // one that is gone uses nothing
      for (const { what, alive } of clients) if (!alive()) throw new Error(`${what} did not stay to the end`)
      used.push(...after.map((now, i) => ((now - before[i]) / ms) * 100))
    }
  }
  const where = noCluster ? 'a small project as processes' : 'a small project'
  const why = await measureIdle({
    id: 'idle-clients',
    of: `${where}, with page, terminal view and an editor's client`,
    daemon,
    limits: { cpu: 0.5 },
    options,
    say,
    add,
    during,
  })
  for (const [i, { what, id }] of clients.entries())
    if (used[i] !== undefined)
      add({ id: `idle-clients.${id}`, what: `what ${what} itself uses meanwhile`, unit: '%', values: [used[i]] })
  await Promise.all(clients.map(({ stop }) => stop()))
  return why
}

/** Waits for `found`, and says what was in vain. */
async function until(found, what) {
  const end = performance.now() + 60_000
  while (!(await found())) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`)
    await delay(50)
  }
}

/** The page in a browser of its own. */
async function openPage({ url, token }, home, cleanup) {
  if (noBrowser()) return { missing: noBrowser() }
  const { page, folder, close } = await openBrowser(home, cleanup)
  await page.goto(`${url}/#token=${token}`)
  await page.locator('li[data-resource=server]').waitFor()
  const pid = await browserOf(folder)
  return { id: 'page', what: 'the page, its browser included,', pid, alive: () => !page.isClosed(), stop: close }
}

/** The main process of the browser that keeps its files in a folder. */
async function browserOf(folder) {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
    if (words.includes(`--user-data-dir=${folder}`) && !words.some((word) => word.startsWith('--type='))) return Number(pid)
  }
  throw new Error(`no process keeps its files in ${folder}`)
}

/** The terminal view in a pseudo-terminal of 120 columns. */
async function openTerminal(cli, devloopfile, env, cleanup) {
  const command = `stty cols 120 rows 40; exec ${JSON.stringify(process.execPath)} ${JSON.stringify(cli)} attach --file ${JSON.stringify(devloopfile)}`
  const child = spawn('script', ['-qfc', command, '/dev/null'], {
    env: { ...env, TERM: 'xterm-256color' },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const stop = cleanup.add('the terminal view', () => child.kill('SIGHUP'))
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part) => (text = (text + part).slice(-20_000)))
  const failed = await new Promise((resolve) => child.once('error', resolve).once('spawn', () => resolve(undefined)))
  if (failed) return { missing: `it needs script(1) for a terminal: ${failed.message}` }
  await until(() => text.includes('server') || child.exitCode !== null, 'the terminal view')
  if (child.exitCode !== null) return { missing: `the terminal view ended: ${text.slice(-300)}` }
  return {
    id: 'terminal',
    what: 'the terminal view',
    pid: child.pid,
    alive: () => child.exitCode === null && child.signalCode === null,
    stop,
  }
}

/** A client as the extension has it: the state and the log, in a process of its own. */
async function openEditor(socket, library, cleanup) {
  const child = fork(fileURLToPath(new URL('../editor-client.mjs', import.meta.url)), [socket, library])
  const stop = cleanup.add("the editor's client", () => child.kill('SIGKILL'))
  await new Promise((resolve, reject) =>
    child.once('message', resolve).once('exit', () => reject(new Error("the editor's client ended"))),
  )
  return {
    id: 'editor',
    what: "the editor's client",
    pid: child.pid,
    alive: () => child.exitCode === null && child.signalCode === null,
    stop,
  }
}
