// The examples of docs/protocol.md are messages that the schema knows, and its client runs.
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { errorCodes } from '../../../src/errors/codes.js'
import { closeCodes } from '../../../src/protocol/discovery.js'
import { rpcErrors } from '../../../src/protocol/messages.js'
import { clientMessageSchema, daemonMessageSchema, discoverySchema } from '../../../src/protocol/schema.js'
import { requestParamsSchemas } from '../../../src/protocol/schema-requests.js'
import { writeDiscovery } from '../../../src/server/discovery.js'
import { parseInbound } from '../../../src/server/validate.js'
import { resourceView, startTestServer } from '../../support/status-server.js'

const repository = fileURLToPath(new URL('../../..', import.meta.url))
const text = await readFile(join(repository, 'docs/protocol.md'), 'utf8')
const blocks = [...text.matchAll(/^```(\w+) ?(\w*)\n(.*?)^```$/gms)].map(([, language, role, code]) => ({
  language,
  role,
  code: code!,
}))
const examples = (role: string): string[] =>
  blocks.filter((block) => block.language === 'json' && block.role === role).map((block) => block.code)

test.each(examples('client'))('a client may send %s', (example) => {
  clientMessageSchema.parse(JSON.parse(example))
  expect(parseInbound(example).kind).toMatch(/^(hello|state|logs|cancel|pong|request)$/)
})

test.each(examples('daemon'))('a daemon may send %s', (example) => {
  expect(daemonMessageSchema.safeParse(JSON.parse(example)).error).toBeUndefined()
})

test('the discovery file and the error', () => {
  expect(examples('discovery').map((example) => discoverySchema.safeParse(JSON.parse(example)).success)).toEqual([true])
  expect(examples('error').map((example) => (JSON.parse(example) as { code: string }).code in errorCodes)).toEqual([true])
})

test('every JSON block has a role, and every request, close code and error code is described', () => {
  expect(
    blocks
      .filter((block) => block.language === 'json')
      .every((block) => ['client', 'daemon', 'discovery', 'error'].includes(block.role!)),
  ).toBe(true)
  for (const method of Object.keys(requestParamsSchemas)) expect(text).toContain(`| \`${method}\` |`)
  for (const code of [...Object.values(closeCodes), ...Object.values(rpcErrors)]) expect(text).toContain(`\n| ${code} |`)
})

test('the example client shows the state of a daemon', async () => {
  const example = blocks.find((block) => block.language === 'js')!.code
  const runtime = await mkdtemp(join(tmpdir(), 'devloop-docs-'))
  const daemon = await startTestServer()
  daemon.views.set(resourceView('api'))
  await writeDiscovery(join(runtime, 'devloop'), 'shop-1', {
    pid: process.pid,
    project: 'shop',
    devloopfile: '/shop/Devloopfile.ts',
    startedAt: 1,
    version: '0.0.0',
    protocol: { major: 1, minor: 0 },
    epoch: daemon.epoch,
    socket: daemon.socket,
    token: daemon.token,
    readToken: daemon.readToken,
  })
  const child = spawn(process.execPath, ['--input-type=module', '-e', example], {
    cwd: repository,
    env: { ...process.env, XDG_RUNTIME_DIR: runtime },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    let shown = ''
    child.stdout.on('data', (data: Buffer) => (shown += data.toString()))
    await expect.poll(() => shown, { timeout: 10_000 }).toBe('api ready \n')
    daemon.views.set({
      ...resourceView('api'),
      status: 'failed',
      ready: false,
      error: { code: 'build/failed', message: 'no good', help: '' },
    })
    await expect.poll(() => shown, { timeout: 10_000 }).toContain('api failed no good\n')
    await daemon.server.close('over')
    await expect.poll(() => shown, { timeout: 10_000 }).toContain('the daemon is gone\n')
  } finally {
    child.kill()
    await daemon.close()
    await rm(runtime, { recursive: true, force: true })
  }
})
