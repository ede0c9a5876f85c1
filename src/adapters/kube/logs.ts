// The output of one container, followed until it ends, through cuts of the connection and restarts, each line once.
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogLine, LogRequest } from '../../ports/runtime.js'
import type { KubeConnection } from './connection.js'
import { statusOf } from './errors.js'
import { splitLines } from './lines.js'
import type { Pod } from './observe-shapes.js'

/** Longer lines are cut there. */
const maxLineBytes = 64 * 1024
const minBackoffMs = 250
const maxBackoffMs = 10_000

/** Where the output of the container that is meant can be had; `gone` = nowhere any more. */
type Place = 'running' | 'ended' | 'previous' | 'gone'

/**
 * Resolves when the container has ended (or is gone) and all it wrote was given, or when the signal aborts. A container that
 * another has taken the place of in its pod is read to its end and no further.
 * @throws DevloopError cluster/forbidden, cluster/unauthorized
 */
export async function followLogs(
  connection: KubeConnection,
  request: LogRequest,
  onLine: (line: LogLine) => void,
  signal: AbortSignal,
): Promise<void> {
  const { target, since } = request
  const podPath = `/api/v1/namespaces/${target.namespace}/pods/${target.pod}`
  const what = `read the log of ${target.pod}/${target.container} in ${target.namespace}`
  /** Time of the newest line that was given, to the nanosecond as the node writes it, and how many had that time. */
  let [last = '', given = '0'] = request.after?.split(' ') ?? []
  let count = Number(given)
  let words = ''
  let pause = minBackoffMs

  /** Give the lines of one connection, less those that were given before. */
  const read = async (place: Exclude<Place, 'gone'>): Promise<void> => {
    const from = Math.max(since, last === '' ? 0 : Date.parse(last))
    const response = await connection.stream(`${podPath}/log`, {
      // The node goes by whole seconds, so some lines come again.
      query: {
        container: target.container,
        follow: String(place === 'running'),
        previous: String(place === 'previous'),
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
        // The node's own words, such as that the log cannot be had; they carry no time, and may be said each time.
        if (line !== words) onLine({ at: Date.now(), text: line })
        words = line
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
      onLine({ at, text: space < 0 ? '' : line.slice(space + 1), place: `${stamp} ${count}` })
    }
  }

  const look = async (): Promise<Place> => {
    const pod = (await connection.request('GET', podPath, { what, signal })) as Pod
    const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
    const found = statuses.find((one) => one.name === target.container)
    if (found?.lastState?.terminated?.containerID === target.containerId)
      // one that waits to be started again still gives its log under its own name
      return found.containerID === target.containerId ? 'ended' : 'previous'
    if (found?.containerID !== target.containerId) return 'gone'
    return found.state?.terminated === undefined ? 'running' : 'ended'
  }

  let place: Place = request.previous ? 'previous' : 'running'
  for (let known = true; !signal.aborted;) {
    try {
      // After a cut the container's end may have been missed; its successor's log is somebody else's.
      if (!known) place = await look()
      if (place === 'gone') return
      await read(place)
      if (place !== 'running') return
      // A connection may end before the container does, also in good order: what it had not given yet is given now.
      place = await look()
      known = true
      if (place !== 'running') continue
    } catch (thrown) {
      if (signal.aborted) return
      const code = statusOf(thrown)?.code
      if (code === 404 || (code === 400 && place !== 'running')) return
      if (code === 401 || code === 403) throw connection.translate(thrown, what)
      known = false
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
