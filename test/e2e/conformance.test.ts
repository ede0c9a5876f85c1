// The conformance suite against a real daemon over both transports and against the client library; and that it finds what is wrong.
import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { Discovery } from '../../src/protocol/messages.js'
import { homes, project, repository, watch, type Watching } from '../support/devloop.js'

const suite = join(repository, 'scripts/conformance')

interface Outcome {
  readonly code: number | null
  readonly output: string
}

/** Runs a script of the suite to its end. */
function conformance(script: string, ...args: string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [join(suite, script), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })))
}

/** What did not pass, for people. */
const failures = ({ output }: Outcome): string =>
  output
    .split('\n')
    .filter((line) => !line.startsWith('ok '))
    .join('\n')

async function begin(): Promise<{ watching: Watching; discovery: Discovery & { url: string } }> {
  const [env, folder] = [
    await homes(),
    await project({ 'Devloopfile.ts': await readFile(join(suite, 'project/Devloopfile.ts'), 'utf8') }),
  ]
  const watching = await watch(['--runtime', 'process'], { cwd: folder, env })
  await watching.ready()
  const runtime = join(env.XDG_RUNTIME_DIR ?? '', 'devloop')
  const name = (await readdir(runtime)).find((one) => one.endsWith('.json')) ?? ''
  return { watching, discovery: JSON.parse(await readFile(join(runtime, name), 'utf8')) as Discovery & { url: string } }
}

test('a daemon conforms over both transports, to its end', { timeout: 240_000 }, async () => {
  const { watching, discovery } = await begin()
  watching.client.close()
  const { socket, url, token, readToken } = discovery
  const outcome = await conformance(
    'server.mjs',
    '--socket',
    socket,
    '--url',
    url,
    '--token',
    token,
    '--read-token',
    readToken,
    '--patience',
    '30',
    '--strict',
    '--end',
  )
  expect(failures(outcome)).toMatch(/^\n\d+ passed, 0 failed, 0 left out\n$/)
  expect(outcome.code).toBe(0)
  expect((await watching.ended).code).toBe(0)
})

test('the client library conforms over both transports', { timeout: 180_000 }, async () => {
  const command = ['--can', 'logs,requests', process.execPath, join(suite, 'devloop-client.mjs')]
  const outcomes = await Promise.all(['unix', 'tcp'].map((over) => conformance('client.mjs', '--over', over, ...command)))
  expect(outcomes.map((outcome) => failures(outcome).trim())).toEqual(['', ''])
  expect(outcomes.map(({ code }) => code)).toEqual([0, 0])
})

type Message = { [key: string]: unknown; type?: string; jsonrpc?: string }

/** A daemon that does one thing wrong: a real one behind something that changes what it says, or what it is told. */
async function spoiled(
  socket: string,
  folder: string,
  spoil: {
    said?: (message: Message) => Message | undefined | readonly Message[]
    told?: (message: Message) => Message | undefined
  },
): Promise<string> {
  const path = join(folder, 'spoiled.sock')
  const server = createServer()
  const webSockets = new WebSocketServer({ server, path: '/v1/stream' })
  webSockets.on('connection', (client) => {
    const daemon = new WebSocket('ws://localhost/v1/stream', { createConnection: () => connect({ path: socket }) })
    const open = new Promise((resolve) => daemon.once('open', resolve))
    client.on('message', (data: Buffer) => {
      const message = spoil.told ? spoil.told(JSON.parse(data.toString()) as Message) : data.toString()
      if (message !== undefined)
        void open.then(() => daemon.send(typeof message === 'string' ? message : JSON.stringify(message)))
    })
    daemon.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Message
      for (const one of [spoil.said ? spoil.said(message) : message].flat()) if (one) client.send(JSON.stringify(one))
    })
    daemon.on('close', (code, reason) => client.close(code === 1006 ? 1001 : code, reason))
    client.on('close', () => daemon.terminate())
    for (const ws of [client, daemon]) ws.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  onTestFinished(() => {
    for (const client of webSockets.clients) client.terminate()
    server.close()
  })
  return path
}

test('what a server does wrong is found, each by the check that is for it', { timeout: 240_000 }, async () => {
  const { watching, discovery } = await begin()
  watching.client.close()
  let deltas = 0
  const wrong: [string, Parameters<typeof spoiled>[2]][] = [
    ['state/deltas', { said: (message) => (message.type === 'delta' && deltas++ % 2 === 1 ? undefined : message) }],
    ['state/some-resources', { told: (message) => (message.type === 'hello' ? { ...message, state: undefined } : message) }],
    [
      'resume/other-epoch',
      {
        said: (message) =>
          message.type === 'welcome'
            ? { ...message, snapshot: undefined, deltas: { upserts: message.snapshot, removes: [] } }
            : message,
      },
    ],
    [
      'logs/all-that-is-kept',
      { said: (message) => (message.type === 'log' ? { ...message, lines: (message.lines as unknown[]).slice(1) } : message) },
    ],
    [
      'logs/text',
      {
        told: (message) =>
          message.type === 'hello' && message.logs
            ? { ...message, logs: { ...(message.logs as object), text: undefined } }
            : message,
      },
    ],
    ['logs/goes-on', { said: (message) => (message.type === 'log' ? [message, message] : message) }],
    [
      'requests/ids',
      { said: (message) => (message.jsonrpc && message.id !== null ? { ...message, id: Number(message.id) } : message) },
    ],
    ['requests/cancel', { told: (message) => (message.type === 'cancel' ? undefined : message) }],
    ['requests/no-reply-unasked', { said: (message) => (message.type === 'error' ? [message, message] : message) }],
    ['access/asked-for-less', { told: (message) => (message.type === 'hello' ? { ...message, access: undefined } : message) }],
    ['welcome/first', { said: (message) => (message.type === 'welcome' ? { ...message, seq: 'one' } : message) }],
  ]
  const found = await Promise.all(
    wrong.map(async ([name, spoil]) => {
      const socket = await spoiled(discovery.socket, await project({}), spoil)
      const { output } = await conformance('server.mjs', '--socket', socket, '--only', name, '--patience', '3')
      return /^FAIL {2}unix {2}(\S+)$/m.exec(output)?.[1] ?? `${name}: ${output}`
    }),
  )
  expect(found).toEqual(wrong.map(([name]) => name))
})
