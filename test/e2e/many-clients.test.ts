// Many clients of a real daemon while much changes: in the end each has the same state, and whoever follows the log has every line.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { connectDevloop, type DevloopClient } from '../../src/client/index.js'
import { nodeSocket } from '../../src/client/node-socket.js'
import type { SocketLike } from '../../src/client/socket.js'
import type { Discovery, View } from '../../src/protocol/messages.js'
import { homes, project, put, watch } from '../support/devloop.js'
import { connectRaw, hello, isType } from '../support/raw-client.js'
import { waitFor } from '../support/wait-for.js'

const jobs = 30
const lines = 3_000

test(
  'twelve clients, one stalled and one that reconnects all the time, agree after much has changed',
  { timeout: 120_000 },
  async () => {
    const names = Array.from({ length: jobs }, (_, i) => `job-${i}`)
    const folder = await project({
      'Devloopfile.ts': `import { defineDevloop, local } from 'devloop'
export default defineDevloop({
  name: 'many',
  settings: { parallel: { locals: 4 } },
  resources: [
    ${names.map((name) => `local('${name}', { run: ['true'], watch: 'jobs/${name}' }),`).join(' ')}
    local('writer', { run: ['node', 'writer.cjs'], auto: false }),
  ],
})
`,
      'writer.cjs': `let n = 0
const timer = setInterval(() => {
  for (let i = 0; i < 50; i++) console.log('line ' + ++n)
  if (n >= ${lines}) clearInterval(timer)
}, 20)`,
      ...Object.fromEntries(names.map((name) => [`jobs/${name}`, '0'])),
    })
    const env = await homes()
    const watching = await watch(['--runtime', 'process'], { cwd: folder, env })
    await waitFor(() => names.every((name) => watching.resource(name)?.ready), { what: 'all jobs to have run' })
    const runtime = join(env.XDG_RUNTIME_DIR ?? '', 'devloop')
    const file = (await readdir(runtime)).find((name) => name.endsWith('.json')) ?? ''
    const { socket } = JSON.parse(await readFile(join(runtime, file), 'utf8')) as Discovery

    const open = (more: Partial<Parameters<typeof connectDevloop>[0]> = {}): DevloopClient => {
      const client = connectDevloop({ endpoint: { socket }, backoff: { minMs: 5, maxMs: 20 }, ...more })
      onTestFinished(() => client.close())
      return client
    }
    const seen = [0, 1, 2].map(() => ({ texts: [] as string[], dropped: 0 }))
    const followers = seen.map((one) => {
      const client = open()
      client.logs({ resources: ['writer'] }, (message) => {
        one.texts.push(...message.lines.flatMap(({ text }) => (text.startsWith('line ') ? text : [])))
        one.dropped += message.dropped
      })
      return client
    })
    let last: (SocketLike & { terminate?: () => void }) | undefined
    let cuts = 0
    const restless = open({ createSocket: (endpoint) => (last = nodeSocket(endpoint)) })
    const calm = Array.from({ length: 7 }, () => open())
    const one = open({ topics: ['state'] })
    await Promise.all([...followers, restless, ...calm, one].map((client) => client.whenOpen({ timeoutMs: 20_000 })))
    const stalled = await connectRaw(socket)
    onTestFinished(() => stalled.ws.terminate())
    stalled.send(hello({ topics: ['state', 'logs'] }))
    await stalled.take(isType('welcome'))
    stalled.ws.pause()

    await one.request('trigger', { resource: 'writer' })
    for (let round = 1; round <= 3; round++) {
      for (const name of names) await put(join(folder, 'jobs', name), String(round))
      await waitFor(() => one.state === 'open', { what: 'the connection' })
      cuts++
      last?.terminate?.()
      await restless.whenOpen({ timeoutMs: 20_000 })
    }
    for (const follower of seen) await waitFor(() => follower.texts.length + follower.dropped >= lines, { what: 'all lines' })
    for (const { texts } of seen) expect(texts).toEqual(Array.from({ length: lines }, (_, i) => `line ${i + 1}`))
    expect(cuts).toBe(3)

    const fresh = open()
    await fresh.whenOpen({ timeoutMs: 20_000 })
    stalled.ws.resume()
    const stateOf = (client: DevloopClient): Map<string, View> => new Map(client.views())
    const stalledState = (): Map<string, View> => {
      const state = new Map<string, View>()
      for (const message of stalled.received) {
        const whole = isType('welcome')(message) ? message.snapshot : isType('delta')(message) ? message.upserts : undefined
        for (const view of whole ?? []) state.set(`${view.kind}/${view.name}`, view)
        if (isType('delta')(message)) for (const key of message.removes) state.delete(`${key.kind}/${key.name}`)
      }
      return state
    }
    const states = [...[...followers, restless, ...calm, one].map((client) => () => stateOf(client)), stalledState]
    await waitFor(
      () =>
        names.every((name) => fresh.get('resource', name)?.ready) &&
        states.every((state) => isDeepStrictEqual(state(), stateOf(fresh))),
      { what: 'all clients to have the same state', timeoutMs: 60_000 },
    ).catch(() => {
      for (const state of states) expect(state()).toEqual(stateOf(fresh))
    })
  },
)
