// A forwarded port under constant load: rollouts one after the other, and an API server that cannot be reached for a while.
import { readdir, readFile, readlink, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { proxiedCluster } from '../support/cluster.js'
import { project } from '../support/devloop.js'
import { devloopfile, loop } from '../support/loop.js'
import { waitFor } from '../support/wait-for.js'

/** Tells a process's open resources (timers, sockets and so on, by kind) into a file, at SIGUSR2. Loaded with --require. */
const census = `
const { isMainThread } = require('worker_threads')
if (isMainThread && process.argv.includes('watch')) process.on('SIGUSR2', () => {
  const counts = {}
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  require('fs').writeFileSync(process.env.CENSUS, JSON.stringify(counts))
})
`

interface Answer {
  readonly began: number
  readonly ms: number
  readonly failure?: string
}

/** So many requests a second, each on a connection of its own, whether earlier ones were answered or not. */
function load(url: string, perSecond: number): { readonly answers: Answer[]; stop(): Promise<void> } {
  const answers: Answer[] = []
  const open = new Set<Promise<void>>()
  const once = (): Promise<void> => {
    const began = Date.now()
    return new Promise((resolve) => {
      const end = (failure?: string): void => {
        answers.push({ began, ms: Date.now() - began, ...(failure === undefined ? {} : { failure }) })
        resolve()
      }
      const asked = request(url, { agent: false }, (response) => {
        response.resume()
        response.on('end', () => end(response.statusCode === 200 ? undefined : `status ${response.statusCode}`))
        response.on('error', (error) => end(String(error)))
      })
      asked.on('error', (error) => end(String(error)))
      asked.end()
    })
  }
  const timer = setInterval(() => {
    const one = once().finally(() => open.delete(one))
    open.add(one)
  }, 1000 / perSecond)
  const stop = async (): Promise<void> => {
    clearInterval(timer)
    await Promise.all(open)
  }
  onTestFinished(stop)
  return { answers, stop }
}

/** The answer on a connection of its own, however long it takes; '' where there is none. */
const ask = (url: string): Promise<string> =>
  new Promise((resolve) => {
    const asked = request(url, { agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => resolve(text)).on('error', () => resolve(''))
    })
    asked.on('error', () => resolve('')).end()
  })

const failures = (answers: readonly Answer[]): readonly Answer[] => answers.filter((one) => one.failure !== undefined)

test(
  'a forward survives 20 rollouts and an API server that is away for 30 s, under load and without a leak [tilt-25]',
  { timeout: 900_000 },
  async () => {
    const { proxy, kubeconfig, close } = await proxiedCluster()
    onTestFinished(close)
    const folder = await project({ 'census.cjs': census })
    const file = join(folder, 'counts.json')
    const env = { KUBECONFIG: kubeconfig.file, NODE_OPTIONS: `--require ${join(folder, 'census.cjs')}`, CENSUS: file }
    const one = await loop({ env, devloopfile: devloopfile(`env: { GENERATION: '0' }`) })
    const watching = await one.begin()
    const pid = watching.child.pid ?? 0
    const resources = async (): Promise<Record<string, number>> => {
      await rm(file, { force: true })
      process.kill(pid, 'SIGUSR2')
      const text = await waitFor(async () => readFile(file, 'utf8').catch(() => undefined), { what: 'the census' })
      const names = await readdir(`/proc/${pid}/fd`)
      const kinds = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')))
      return { ...(JSON.parse(text) as object), descriptors: kinds.filter((kind) => kind.startsWith('socket:')).length }
    }
    /** What is open when nothing is going on. */
    const quiet = (): Promise<Record<string, number>> =>
      waitFor(
        async () => {
          const [first, second] = [await resources(), (await new Promise((go) => setTimeout(go, 500)), await resources())]
          return JSON.stringify(first) === JSON.stringify(second) ? second : undefined
        },
        { what: 'what is open to stay as it is', timeoutMs: 60_000 },
      )
    // once through, so that what is kept for later use is there
    for (let i = 0; i < 50; i++) expect(await ask(one.url())).toBe('one')
    const before = await quiet()

    const running = load(one.url(), 50)
    const generation = async (wanted: number): Promise<void> => {
      await one.save('Devloopfile.ts', devloopfile(`env: { GENERATION: '${wanted}' }`)(one))
      await waitFor(async () => (await ask(one.url('/env'))).includes(`"GENERATION":"${wanted}"`), {
        what: `generation ${wanted}`,
        // the load alone keeps most of two cores busy
        timeoutMs: 120_000,
      })
    }
    for (let i = 1; i <= 20; i++) await generation(i)
    const rollouts = running.answers.length
    expect(failures(running.answers)).toEqual([])

    // what was under way when the network broke may be lost with it; nothing that came after may be
    const cutAt = Date.now()
    proxy.cut()
    await watching.client.waitFor(() => watching.session()?.runtime.state === 'lost', { timeoutMs: 30_000 })
    await new Promise((go) => setTimeout(go, 30_000 - (Date.now() - cutAt)))
    proxy.restore()
    await watching.ready(60_000)
    await waitFor(() => running.answers.some(({ began, failure }) => began > cutAt + 30_000 && failure === undefined), {
      what: 'answers after the outage',
      timeoutMs: 60_000,
    })
    await generation(21)
    await running.stop()

    const lost = failures(running.answers)
    expect(lost.filter(({ failure, began }) => /ECONNREFUSED/.test(failure ?? '') || began > cutAt)).toEqual([])
    // the load really was constant: neither the rollouts nor the outage kept requests from being made
    expect(rollouts).toBeGreaterThan(500)
    expect(running.answers.filter(({ began }) => began > cutAt && began < cutAt + 30_000).length).toBeGreaterThan(1000)
    const waited = running.answers.filter(({ ms }) => ms > 20_000).length
    expect(waited).toBeGreaterThan(100)

    await watching.ready()
    await waitFor(async () => (await one.pods()).length === 1, { what: 'the old pods to be gone' })
    const after = await waitFor(
      async () => {
        const now = await quiet()
        return Object.entries(now).every(([kind, count]) => count <= (before[kind] ?? 0) + 3) ? now : undefined
      },
      { what: `as little to be open as before (${JSON.stringify(before)})`, timeoutMs: 90_000, everyMs: 2000 },
    ).catch(async (thrown: unknown) => {
      throw new Error(`${String(thrown)}; now ${JSON.stringify(await resources())}`)
    })
    expect(after.descriptors).toBeGreaterThan(0)
  },
)
