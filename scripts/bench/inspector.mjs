// The memory of a daemon that was started with --inspect, after a full collection, and how late its event loop is.
import { readFile } from 'node:fs/promises'
import { WebSocket } from 'ws'

export async function openInspector(daemon) {
  const url = /ws:\/\/127\.0\.0\.1:\d+\/\S+/.exec(daemon.text())?.[0]
  if (!url) throw new Error('the daemon has no inspector')
  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  let id = 0
  const waiting = new Map()
  socket.on('message', (data) => {
    const message = JSON.parse(data)
    waiting.get(message.id)?.(message.result)
    waiting.delete(message.id)
  })
  const ask = (method, params) =>
    new Promise((resolve) => {
      waiting.set(++id, resolve)
      socket.send(JSON.stringify({ id, method, params }))
    })
  return {
    /** Of the daemon's own process, in MB. */
    async memory() {
      await ask('HeapProfiler.collectGarbage')
      await ask('HeapProfiler.collectGarbage')
      const { usedSize } = await ask('Runtime.getHeapUsage')
      const status = await readFile(`/proc/${daemon.pid}/status`, 'utf8').catch(() => '')
      return { heap: usedSize / 1e6, rss: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024 }
    },
    /** Of a daemon with loop-delay.mjs: the delays in ms since the last call, `{ p50, p99, max, n }`. */
    async loopDelay() {
      const { result } = await ask('Runtime.evaluate', { expression: 'benchLoopDelay()', returnByValue: true })
      if (!result?.value) throw new Error('the daemon was started without loop-delay.mjs')
      return result.value
    },
    close: () => socket.terminate(),
  }
}
