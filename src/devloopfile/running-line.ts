// Finds out what a worker thread is doing that does not end, by pausing it for a moment as a debugger would.
import { Session } from 'node:inspector'
import type { Worker } from 'node:worker_threads'

/** A place in a script as V8 counts: from 1, like a stack trace. */
export interface RunningLine {
  readonly url: string
  readonly line: number
  readonly column: number
}

interface Incoming {
  readonly method?: string
  readonly params?: {
    readonly scriptId?: string
    readonly url?: string
    readonly callFrames?: readonly { readonly location: { scriptId: string; lineNumber: number; columnNumber?: number } }[]
  }
}

/** Longest that is waited; a thread that runs no code does not answer. */
const patienceMs = 500

/**
 * The places in the script `url` at which the worker is running, innermost first; none when it runs nothing there or cannot be asked.
 * The worker is of no further use: terminate it.
 */
export async function findRunningLines(worker: Worker, url: string): Promise<readonly RunningLine[]> {
  const inspector = new Session()
  let timer: NodeJS.Timeout | undefined
  let resume = (): void => {}
  try {
    inspector.connect()
    return await new Promise<readonly RunningLine[]>((resolve) => {
      timer = setTimeout(() => resolve([]), patienceMs)
      inspector.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
        if (!workerInfo.title.startsWith(`[worker ${worker.threadId}]`)) return
        const scripts = new Map<string, string>()
        const send = (id: number, method: string): void =>
          inspector.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id, method }) }, () => {})
        inspector.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
          const { method, params: data } = JSON.parse(params.message) as Incoming
          if (params.sessionId !== sessionId || !data) return
          if (method === 'Debugger.scriptParsed' && data.scriptId && data.url) scripts.set(data.scriptId, data.url)
          if (method !== 'Debugger.paused') return
          const places = (data.callFrames ?? []).map(({ location }) => ({
            url: scripts.get(location.scriptId) ?? '',
            line: location.lineNumber + 1,
            column: (location.columnNumber ?? 0) + 1,
          }))
          resolve(places.filter((place) => place.url === url))
        })
        // A thread that stays paused cannot be terminated.
        resume = () => send(3, 'Debugger.disable')
        send(1, 'Debugger.enable')
        send(2, 'Debugger.pause')
      })
      inspector.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, (error) => {
        if (error) resolve([])
      })
    })
  } catch {
    // A Node without inspector, or one whose inspector is taken.
    return []
  } finally {
    clearTimeout(timer)
    resume()
    inspector.disconnect()
  }
}
