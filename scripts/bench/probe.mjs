// Asks an app over HTTP, one request after the other on a connection that is kept, as fast as it answers.
import { Agent, get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

export function createProbe(host, port) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })

  /** @param timeout milliseconds without a byte of the answer */
  const ask = (path, timeout = 5_000) =>
    new Promise((resolve, reject) => {
      const request = get({ host, port, path, agent, timeout }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk) => (text += chunk))
        response.on('end', () => resolve(text))
        response.on('error', reject)
      })
      request.on('timeout', () => request.destroy(new Error('no answer')))
      request.on('error', reject)
    })

  return {
    host,
    port,
    ask,
    /**
     * Ask until the answer passes.
     * @param pauseMs between two questions; 0 = none
     * @returns the answer, and when its last byte was here (performance.now())
     */
    async until(path, passes, { timeoutMs = 60_000, pauseMs = 0 } = {}) {
      const end = performance.now() + timeoutMs
      let last
      while (performance.now() < end) {
        try {
          last = await ask(path)
          const at = performance.now()
          if (passes(last)) return { at, text: last }
          if (pauseMs > 0) await delay(pauseMs)
        } catch (error) {
          last = error.message
          await delay(1)
        }
      }
      throw new Error(
        `http://${host}:${port}${path} did not answer as expected in ${timeoutMs / 1000} s; last: ${String(last).slice(0, 200)}`,
      )
    },
    close: () => agent.destroy(),
  }
}
