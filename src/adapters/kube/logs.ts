// The output of one container, followed until it ends, through cuts of the connection, each line once.
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogLine } from '../../ports/runtime.js'
import type { TargetRef } from '../../ports/sync-transport.js'
import type { KubeConnection } from './connection.js'
import { statusOf } from './errors.js'
import { splitLines } from './lines.js'
import type { Pod } from './observe-shapes.js'

/** Longer lines are cut there. */
const maxLineBytes = 64 * 1024
const minBackoffMs = 250
const maxBackoffMs = 10_000

/**
 * Resolves when the container has ended (or is gone) and all it wrote was given, or when the signal aborts.
 * @param since milliseconds since 1970; earlier lines are left out
 * @throws DevloopError cluster/forbidden, cluster/unauthorized
 */
export async function followLogs(
  connection: KubeConnection,
  target: TargetRef,
  since: number,
  onLine: (line: LogLine) => void,
  signal: AbortSignal,
): Promise<void> {
  const podPath = `/api/v1/namespaces/${target.namespace}/pods/${target.pod}`
  const what = `read the log of ${target.pod}/${target.container} in ${target.namespace}`
  /** Time of the newest line that was given, to the nanosecond as the node writes it, and how many had that time. */
  let last = ''
  let count = 0
  let pause = minBackoffMs

  /** Give the lines of one connection, less those that were given before. */
  const read = async (): Promise<void> => {
    const from = last === '' ? since : Date.parse(last)
    const response = await connection.stream(`${podPath}/log`, {
      // The node goes by whole seconds, so some lines come again.
      query: {
        container: target.container,
        follow: 'true',
        timestamps: 'true',
        sinceTime: new Date(Math.floor(from / 1000) * 1000).toISOString(),
      },
      accept: '*/*',
      what,
      signal,
    })
    let again = count
    const resumedAt = last
    for await (const line of splitLines(response, maxLineBytes)) {
      pause = minBackoffMs
      const space = line.indexOf(' ')
      const stamp = space < 0 ? line : line.slice(0, space)
      const at = /^\d{4}-\d\d-\d\dT/.test(stamp) ? Date.parse(stamp) : Number.NaN
      if (Number.isNaN(at)) {
        // The node's own words, such as that the log cannot be had; they carry no time.
        onLine({ at: Date.now(), text: line })
        continue
      }
      const key = comparable(stamp)
      if (at < since || (resumedAt !== '' && key < comparable(resumedAt))) continue
      if (resumedAt !== '' && key === comparable(resumedAt) && again > 0) {
        again--
        continue
      }
      count = last !== '' && key === comparable(last) ? count + 1 : 1
      last = stamp
      onLine({ at, text: space < 0 ? '' : line.slice(space + 1) })
    }
  }

  /** Whether the container that was meant can still write. */
  const goesOn = async (): Promise<boolean> => {
    const pod = (await connection.request('GET', podPath, { what, signal })) as Pod
    const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
    const found = statuses.find((one) => one.name === target.container)
    return found?.containerID === target.containerId && found.state?.terminated === undefined
  }

  for (let cut = false; !signal.aborted;) {
    try {
      // After a cut the container's end may have been missed; its successor's log is somebody else's.
      if (cut && !(await goesOn())) {
        await read()
        return
      }
      cut = false
      await read()
      if (!(await goesOn())) return
    } catch (thrown) {
      if (signal.aborted) return
      const code = statusOf(thrown)?.code
      if (code === 404) return
      if (code === 401 || code === 403) throw connection.translate(thrown, what)
      cut = true
    }
    await sleep(pause * (0.5 + Math.random() * 0.5), undefined, { signal }).catch(() => undefined)
    pause = Math.min(pause * 2, maxBackoffMs)
  }
}

/** RFC 3339 leaves out zeros at the end, so texts of different lengths do not compare. */
function comparable(stamp: string): string {
  const [seconds = '', fraction = ''] = stamp.replace(/Z$/, '').split('.')
  return `${seconds}.${fraction.padEnd(9, '0')}`
}
