// Configs and secrets without a cluster: variables of processes and commands, in memory alone.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { answers, homes, project, put, run, watch } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'
import { waitFor } from '../support/wait-for.js'

const printed = 'pw-5ecret-of-the-command'

test('processes and locals get their values; a saved file reaches exactly those who use it', async () => {
  const env = await homes()
  const port = await freePort()
  const folder = await project({
    'app/Dockerfile': 'FROM node\nWORKDIR /app\nCOPY . .\n',
    'app/server.js': `require('http').createServer((request, response) => response.end(request.url === '/pid' ? String(process.pid) : JSON.stringify(process.env))).listen(process.env.PORT)`,
    '.env': 'WORD=one\n1BAD=x\nPORT=1\n',
    'vault.txt': printed,
    'token.env': 'TOKEN=first',
    'Devloopfile.ts': `
import { app, config, defineDevloop, image, local, secret, text } from 'devloop'
const settings = config('settings', { envFile: '.env' })
const creds = secret('creds', { command: 'cat vault.txt; echo read >&2', format: { key: 'PASSWORD' }, watch: 'vault.txt' })
const token = secret('token', { command: 'cat token.env' })
const far = secret('far', { from: { namespace: 'platform', name: 'x' } })
const server = image('shop/web', { context: 'app' })
const process = { command: ['node', 'server.js'] }
export default defineDevloop({ name: 'shop', resources: [
  app('web', { image: server, port: 8080, forward: ${port}, envFrom: [settings, creds, token], env: { URL: text\`db://\${creds.at('PASSWORD')}@x\` }, process }),
  app('plain', { image: server, port: 8080, process }),
  local('once', { run: 'echo "$WORD $PASSWORD" >> once.out', env: { WORD: settings.at('WORD'), PASSWORD: creds.at('PASSWORD') } }),
  far,
] })
`,
  })
  const watching = await watch(['--runtime', 'process'], { cwd: folder, env })
  const others = ['settings', 'creds', 'token', 'web', 'plain', 'once']
  const allReady = () =>
    waitFor(() => others.every((name) => watching.resource(name)?.ready), { what: 'all that can be ready', timeoutMs: 60_000 })
  await allReady()
  const variables = async (): Promise<Record<string, string>> =>
    (await fetch(`http://127.0.0.1:${port}/`).then((response) => response.json())) as Record<string, string>
  const seen = await variables()
  expect(seen).toMatchObject({ WORD: 'one', PASSWORD: printed, URL: `db://${printed}@x` })
  expect(seen['1BAD']).toBeUndefined()
  expect(seen['PORT']).not.toBe('1')
  expect(watching.resource('far')?.hold?.message).toContain('run without --runtime process')
  const plain = watching.resource('plain')?.pods[0]?.name

  await put(join(folder, '.env'), 'WORD=two\n')
  await answers(`http://127.0.0.1:${port}/`, /"WORD":"two"/, 30_000)
  await waitFor(async () => (await readFile(join(folder, 'once.out'), 'utf8')).endsWith(`two ${printed}\n`), {
    what: 'the local',
  })
  await put(join(folder, 'vault.txt'), `${printed}-2`)
  await answers(`http://127.0.0.1:${port}/`, new RegExp(`"PASSWORD":"${printed}-2"`), 30_000)
  // what nothing tells of is read when somebody says so
  await put(join(folder, 'token.env'), 'TOKEN=second')
  expect((await run(['trigger', 'token'], { cwd: folder, env })).code).toBe(0)
  await answers(`http://127.0.0.1:${port}/`, /"TOKEN":"second"/, 30_000)
  await allReady()
  expect(watching.resource('plain')?.pods[0]?.name).toBe(plain)

  const shown = await Promise.all(
    [['status', '--json'], ['logs'], ['logs', 'creds'], ['why', '.env']].map((args) => run(args, { cwd: folder, env })),
  )
  expect(shown[2]?.stdout).toContain('read')
  expect(shown[3]?.stdout).toContain('config settings')
  const state = env['XDG_STATE_HOME'] as string
  const names = await readdir(state, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  const views = JSON.stringify([...watching.client.views().values()])
  expect([views, watching.output(), ...shown.map(({ stdout, stderr }) => stdout + stderr), ...texts].join('\n')).not.toContain(
    printed,
  )
})
