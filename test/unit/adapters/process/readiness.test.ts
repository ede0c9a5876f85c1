// What something on this machine answers when it is asked whether it is ready.
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { expect, onTestFinished, test } from 'vitest'
import { createProcessRunner } from '../../../../src/adapters/process/process-runner.js'
import { createReadiness } from '../../../../src/adapters/process/readiness.js'
import { isAbort } from '../../../../src/errors/devloop-error.js'
import type { AskedCheck } from '../../../../src/ports/readiness.js'
import { freePort } from '../../../support/free-port.js'
import { family, gone } from '../../../support/processes.js'
import { waitFor } from '../../../support/wait-for.js'

const readiness = createReadiness(createProcessRunner())
const ask = (check: AskedCheck, timeoutMs = 10_000, signal = new AbortController().signal) =>
  readiness.ask(check, { timeoutMs, cwd: tmpdir(), env: { PATH: process.env.PATH ?? '', WORD: 'ready' } }, signal)

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}
const web = (listener: RequestListener): Promise<number> => {
  const server = createHttpServer(listener)
  onTestFinished(() => server.closeAllConnections())
  return listening(server)
}

test('tcp: whether it accepts connections', async () => {
  const port = await listening(createServer((socket) => socket.destroy()))
  expect(await ask({ kind: 'tcp', port })).toEqual({ ready: true, text: `127.0.0.1:${port} accepts connections` })
  const none = await freePort()
  expect(await ask({ kind: 'tcp', port: none })).toEqual({ ready: false, text: `127.0.0.1:${none} accepts no connections` })
})

test('http: a status from 200 to 399, of that path', async () => {
  const port = await web((request, response) => {
    const [, status = '200'] = /^\/(\d+)\?a=b$/.exec(request.url ?? '') ?? []
    response.writeHead(Number(status), status === '302' ? { Location: 'http://127.0.0.1:1/' } : {}).end('text')
  })
  const at = (status: number) => ask({ kind: 'http', url: `http://127.0.0.1:${port}/${status}?a=b` })
  expect(await at(204)).toEqual({ ready: true, text: `GET http://127.0.0.1:${port}/204 answered 204 No Content` })
  expect(await at(302)).toMatchObject({ ready: true })
  expect(await at(404)).toMatchObject({ ready: false, text: expect.stringContaining('answered 404 Not Found') })
  expect(await at(503)).toMatchObject({ ready: false })
  const none = await freePort()
  expect(await ask({ kind: 'http', url: `http://127.0.0.1:${none}/` })).toEqual({
    ready: false,
    text: `GET http://127.0.0.1:${none}/ was refused: nothing listens there`,
  })
})

test('http: one that never answers, and one that cuts the connection', async () => {
  const silent = await web(() => {})
  expect(await ask({ kind: 'http', url: `http://127.0.0.1:${silent}/` }, 50)).toEqual({
    ready: false,
    text: `GET http://127.0.0.1:${silent}/ gave no answer within 0.05 s`,
  })
  const rude = await web((request) => request.socket.destroy())
  expect(await ask({ kind: 'http', url: `http://127.0.0.1:${rude}/` })).toMatchObject({
    ready: false,
    text: expect.stringMatching(/failed: /),
  })
})

test('exec: its exit code, with its last lines', async () => {
  expect(await ask({ kind: 'exec', command: 'test "$WORD" = ready' })).toEqual({
    ready: true,
    text: '`test "$WORD" = ready` ended with exit code 0',
  })
  expect(await ask({ kind: 'exec', command: ['sh', '-c', 'seq 9; echo no >&2; exit 3'] })).toEqual({
    ready: false,
    text: '`sh -c seq 9; echo no >&2; exit 3` ended with exit code 3\n6\n7\n8\n9\nno',
  })
  expect(await ask({ kind: 'exec', command: ['devloop-no-such-command'] })).toMatchObject({
    ready: false,
    text: expect.stringContaining('there is no command `devloop-no-such-command`'),
  })
})

test('exec: one that takes too long is killed with all that it started', async () => {
  const asked = ask({ kind: 'exec', command: 'sleep 3600 & sleep 3600' }, 1500)
  await waitFor(() => family(process.pid).filter((one) => one.command === 'sleep 3600').length === 2, { what: 'it to run' })
  const processes = family(process.pid).filter((one) => one.command === 'sleep 3600')
  expect(await asked).toMatchObject({ ready: false, text: expect.stringContaining('gave no answer within 1.5 s') })
  await gone(processes)
})

test('who asked is gone: no answer at all', async () => {
  const abort = new AbortController()
  const silent = await web(() => {})
  const asked = ask({ kind: 'http', url: `http://127.0.0.1:${silent}/` }, 10_000, abort.signal)
  abort.abort()
  expect(isAbort(await asked.catch((thrown: unknown) => thrown))).toBe(true)
})
