// Load on an app: requests at even distances, which do not wait for each other's answers.
import { Agent, get } from 'node:http'

/** @returns `stop`, which waits for the answers that are due and says what was asked: a failed request is one without status 200 */
export function startLoad({ host, port, path, perSecond, cleanup }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const begin = performance.now()
  const open = new Set()
  let asked = 0
  let failed = 0

  const ask = () => {
    asked++
    const answer = new Promise((resolve) => {
      const request = get({ host, port, path, agent, timeout: 5_000 }, (response) => {
        response.resume()
        response.once('error', () => resolve(false)).once('end', () => resolve(response.statusCode === 200))
      })
      request.on('timeout', () => request.destroy(new Error('no answer')))
      request.on('error', () => resolve(false))
    }).then((answered) => {
      if (!answered) failed++
      open.delete(answer)
    })
    open.add(answer)
  }
  // a timer that comes late asks what it owes
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begin) / 1_000) * perSecond)
    while (asked < due) ask()
  }, 1_000 / perSecond)
  const end = cleanup.add(`load on ${host}`, () => {
    clearInterval(timer)
    agent.destroy()
  })

  return {
    async stop() {
      clearInterval(timer)
      const seconds = (performance.now() - begin) / 1_000
      await Promise.all(open)
      await end()
      return { asked, failed, seconds }
    },
  }
}
