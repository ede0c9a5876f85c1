// `devloop snapshot`: the page as it is now, as one file for a colleague.
import { resolve } from 'node:path'
import type { DevloopClient } from '../../client/index.js'
import type { LogEntry } from '../../protocol/messages.js'
import { withDaemon } from '../connect.js'
import { exitCodes } from '../exit.js'
import { printJson } from '../print-json.js'
import { fileStamp, writePrivate } from '../private-file.js'
import { version } from '../version.js'

export interface SnapshotOptions {
  readonly file?: string
  readonly output?: string
  /** Newest lines of the log. */
  readonly tail: number
  readonly json?: boolean
}

export const snapshot = ({ file, output, tail, json }: SnapshotOptions): Promise<number> =>
  withDaemon(file, ['state'], async (client) => {
    const logs = tail === 0 ? [] : await newestLines(client, tail)
    const views = [...client.views().values()]
    const { makeSnapshot } = await import('../../daemon/snapshot.js')
    const html = await makeSnapshot({ format: 1, at: Date.now(), version, views, logs })
    const path = resolve(output ?? `devloop-snapshot-${fileStamp()}.html`)
    await writePrivate(path, html)
    const lines = logs.length
    if (json) printJson({ file: path, views: views.length, lines })
    else process.stdout.write(`${path}\n\n${advice(lines)}\n`)
    return exitCodes.ok
  })

const advice = (
  lines: number,
): string => `It opens in any browser, and asks nobody for anything. Values of Secrets, tokens and passwords were taken out as far as devloop knows
them${lines > 0 ? `. Look at the log in it before you pass it on: ${lines} lines of what your apps wrote (--tail 0 leaves them out)` : ''}.`

function newestLines(client: DevloopClient, tail: number): Promise<readonly LogEntry[]> {
  return new Promise((done, fail) => {
    const lines: LogEntry[] = []
    const endState = client.onState((state, error) => {
      if (state === 'closed') fail(new Error(error?.message ?? 'devloop ended'))
    })
    const end = client.logs({ tail }, (message) => {
      lines.push(...message.lines)
      if (!message.caughtUp) return
      // what is called back may come before the subscription is known
      queueMicrotask(() => end())
      endState()
      done(lines.slice(-tail))
    })
  })
}
