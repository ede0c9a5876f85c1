// A client of a real daemon that reads nothing, while much happens: what others notice, what it costs, what it has afterwards.
import { isDeepStrictEqual } from 'node:util'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { DaemonMessage, Discovery, LogMessage, View } from '../../src/protocol/messages.js'
import { connectRaw, hello, isReply, isType } from '../support/raw-client.js'
import { waitFor } from '../support/wait-for.js'
import { wordApp } from '../support/word-app.js'

/** Resident memory of a process. Bytes. */
const memoryOf = async (pid: number): Promise<number> =>
  Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024

/** The state that a client has after these messages. */
function stateOf(messages: readonly DaemonMessage[]): Map<string, View> {
  const state = new Map<string, View>()
  for (const message of messages) {
    if (isType('welcome')(message)) for (const view of message.snapshot ?? []) state.set(`${view.kind}/${view.name}`, view)
    if (!isType('delta')(message)) continue
    for (const view of message.upserts) state.set(`${view.kind}/${view.name}`, view)
    for (const key of message.removes) state.delete(`${key.kind}/${key.name}`)
  }
  return state
}

test(
  'a client that reads nothing costs little, holds nobody up, and is right afterwards [tilt-31]',
  { timeout: 180_000 },
  async () => {
    const words = await wordApp()
    const watching = await words.watch()
    await watching.ready()
    const folder = join(words.env.XDG_RUNTIME_DIR ?? '', 'devloop')
    const name = (await readdir(folder)).find((one) => one.endsWith('.json')) ?? ''
    const { socket } = JSON.parse(await readFile(join(folder, name), 'utf8')) as Discovery

    // the second client: it gets every line, and sees each change live before the next is made
    let lines = 0
    let dropped = 0
    watching.client.logs({ resources: ['words'] }, (message: LogMessage) => {
      lines += message.lines.filter((line) => / x{80}$/.test(line.text)).length
      dropped += message.dropped
    })
    const busy = async (changes: number, linesEach: number, word: string): Promise<void> => {
      for (let i = 0; i < changes; i++) {
        const known = new Set(watching.changes().map((change) => change.name))
        await words.save('app/src/word.txt', `${word} ${i}`)
        await watching.client.waitFor(
          () => watching.changes().some((change) => !known.has(change.name) && change.outcome === 'live'),
          { timeoutMs: 10_000 },
        )
        await (await fetch(`http://127.0.0.1:${words.port}/lines/${linesEach}`)).text()
      }
    }
    // much the same before, so that what the daemon keeps in any case (the newest lines and changes, a warm heap) is there
    await busy(400, 25, 'before')
    await waitFor(() => lines === 10_000, { what: 'all lines of before' })

    const stalled = await connectRaw(socket)
    onTestFinished(() => stalled.ws.terminate())
    stalled.send(hello({ topics: ['state', 'logs'] }))
    await stalled.take(isType('log'))
    stalled.ws.pause()
    const before = await memoryOf(watching.child.pid ?? 0)
    await busy(500, 20, 'during')
    const grown = (await memoryOf(watching.child.pid ?? 0)) - before
    await waitFor(() => lines === 20_000, { what: 'all lines' })
    expect(dropped).toBe(0)
    expect(grown).toBeLessThan(20_000_000)

    await words.answers('during 499 ')
    stalled.ws.resume()
    stalled.send({ jsonrpc: '2.0', id: 1, method: 'why', params: { path: join(words.folder, 'x') } })
    await stalled.take(isReply)
    await waitFor(
      () => {
        const state = stateOf(stalled.received)
        return isDeepStrictEqual(state, new Map(watching.client.views()))
      },
      { what: 'the state of the slow client to be that of the other' },
    ).catch(() => expect(stateOf(stalled.received)).toEqual(new Map(watching.client.views())))
    // it had fewer and larger deltas
    expect(stalled.received.filter(isType('delta')).length).toBeLessThan(500)
  },
)
