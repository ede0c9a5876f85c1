// Asks what runs on this machine whether it is ready: over TCP, over HTTP, or by a command.
import { connect } from 'node:net'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { toErrorInfo } from '../../errors/devloop-error.js'
import type { ProcessRunner } from '../../ports/process-runner.js'
import type { Answer, AskOptions, Readiness } from '../../ports/readiness.js'

/** How many of the last lines of a command belong to its answer. */
const tailLines = 5

export function createReadiness(processes: ProcessRunner): Readiness {
  return {
    async ask(check, options, signal) {
      signal.throwIfAborted()
      const limit = new AbortController()
      const timer = setTimeout(() => limit.abort(), options.timeoutMs)
      const within = AbortSignal.any([signal, limit.signal])
      const late = `no answer within ${options.timeoutMs / 1000} s`
      const asked = ((): Promise<Answer> => {
        switch (check.kind) {
          case 'tcp':
            return askTcp(check.port, late, within)
          case 'http':
            return askHttp(new URL(check.url), late, within)
          case 'exec':
            return askCommand(processes, check.command, options, late, within)
        }
      })()
      const answer = await asked.finally(() => clearTimeout(timer))
      // whatever it answered, nobody waits for it any more
      signal.throwIfAborted()
      return answer
    },
  }
}

function askTcp(port: number, late: string, signal: AbortSignal): Promise<Answer> {
  const what = `127.0.0.1:${port}`
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const end = (ready: boolean, text: string): void => {
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      resolve({ ready, text: `${what} ${text}` })
    }
    const onAbort = (): void => end(false, `gave ${late}`)
    signal.addEventListener('abort', onAbort)
    socket.once('connect', () => end(true, 'accepts connections'))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(false, error.code === 'ECONNREFUSED' ? 'accepts no connections' : `cannot be reached: ${error.message}`),
    )
  })
}

function askHttp(url: URL, late: string, signal: AbortSignal): Promise<Answer> {
  const what = `GET ${url.origin}${url.pathname}`
  return new Promise((resolve) => {
    // its own certificate is not what is asked about; a redirect is an answer, and is not followed
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest
    const asked = request(url, { agent: false, rejectUnauthorized: false, headers: { 'User-Agent': 'devloop' } })
    const end = (ready: boolean, text: string): void => {
      signal.removeEventListener('abort', onAbort)
      asked.destroy()
      resolve({ ready, text: `${what} ${text}` })
    }
    const onAbort = (): void => end(false, `gave ${late}`)
    signal.addEventListener('abort', onAbort)
    asked.once('response', (response) => {
      const { statusCode: status = 0, statusMessage = '' } = response
      end(status >= 200 && status < 400, `answered ${status} ${statusMessage}`.trimEnd())
    })
    // also after the answer, when the connection is cut
    asked.on('error', (error: NodeJS.ErrnoException) =>
      end(false, error.code === 'ECONNREFUSED' ? 'was refused: nothing listens there' : `failed: ${error.message || error.code}`),
    )
    asked.end()
  })
}

async function askCommand(
  processes: ProcessRunner,
  command: string | readonly string[],
  { cwd, env }: AskOptions,
  late: string,
  signal: AbortSignal,
): Promise<Answer> {
  const what = `\`${typeof command === 'string' ? command : command.join(' ')}\``
  const tail: string[] = []
  const told = (text: string): string => [`${what} ${text}`, ...tail].join('\n')
  try {
    const asked = await processes.spawn({
      command,
      cwd,
      env,
      onLine: (line) => (tail.push(line), tail.length > tailLines && tail.shift()),
    })
    const onAbort = (): void => void asked.stop(0)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    const { exitCode, signal: killer } = await asked.ended
    signal.removeEventListener('abort', onAbort)
    if (signal.aborted) return { ready: false, text: told(`gave ${late}`) }
    return {
      ready: exitCode === 0,
      text: told(exitCode === undefined ? `was ended by ${killer}` : `ended with exit code ${exitCode}`),
    }
  } catch (thrown) {
    return { ready: false, text: toErrorInfo(thrown).message }
  }
}
