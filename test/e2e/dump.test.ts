// `devloop dump`: secrets are planted wherever devloop looks, and none of them is in the file, whether the daemon answers, hangs or does
// not run.
import { randomBytes } from 'node:crypto'
import { appendFile, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Dump } from '../../src/daemon/dump/make-dump.js'
import { homes, project, put, run, watch } from '../support/devloop.js'

/** Each another value; what is planted where is told by its name. */
const planted: Record<string, string> = {}
const plant = (name: string): string => (planted[name] ??= `${name}-${randomBytes(12).toString('base64').replaceAll('=', '"')}`)
const base64 = (text: string): string => Buffer.from(text).toString('base64')

const devloopfile = (): string => `
// password: ${plant('comment')}
import { app, defineDevloop, generated, image, local, secret, sync, text } from 'devloop'
const credentials = secret('credentials', { values: { LOGIN: ${JSON.stringify(plant('secretValue'))} } })
const made = generated('made')
const web = image('web', { dockerfile: { inline: 'FROM scratch' }, args: { NPM_TOKEN: ${JSON.stringify(plant('buildArg'))} }, live: [sync('src', '/app/src')] })
export default defineDevloop(({ args }) => ({
  name: 'shop',
  cluster: { contexts: ['nowhere'] },
  resources: [
    credentials,
    app('web', {
      image: web,
      env: {
        DB_PASSWORD: ${JSON.stringify(plant('secretVariable'))},
        GREETING: ${JSON.stringify(plant('plainVariable'))},
        LOGIN: credentials.at('LOGIN'),
        MADE: made,
        URL: text\`redis://:\${made}@host\`,
      },
      process: { command: ['node', '-e', 'console.log(process.env.LOGIN, process.env.MADE); console.error(process.env.DB_PASSWORD); setInterval(() => {}, 1000)'] },
    }),
    // says what it should not, and fails
    local('leaks', { run: 'echo "token=$LEAKED_TOKEN and $API_KEY"; echo "Authorization: Bearer $LEAKED_TOKEN" >&2; exit 3' }),
    local('told', { run: 'echo ' + args.length }),
  ],
}))
`

/** Every text in JSON, so that no escaping hides a secret. */
function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, item]) => [name, ...texts(item)])
}

async function checked(file: string): Promise<Dump> {
  const text = await readFile(file, 'utf8')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const dump = JSON.parse(text) as Dump
  const all = [text, ...texts(dump)].join('\n')
  for (const [name, value] of Object.entries(planted)) {
    for (const form of [value, base64(value).replace(/=+$/, ''), encodeURIComponent(value), JSON.stringify(value).slice(1, -1)])
      expect(all.includes(form), `${name} stands in the file: ${around(all, form)}`).toBe(false)
  }
  return dump
}

const around = (text: string, part: string): string => {
  const at = text.indexOf(part)
  return text.slice(Math.max(0, at - 200), at + part.length + 50)
}

test('a daemon that answers, one that hangs, and none at all', async () => {
  const cwd = await project({
    'Devloopfile.ts': devloopfile(),
    'src/a.txt': 'a',
    'docker/config.json': '',
    kubeconfig: '',
    key: '',
  })
  const auth = base64(`ann:${plant('registryLogin')}`)
  await put(
    join(cwd, 'docker/config.json'),
    JSON.stringify({ auths: { 'registry.example.com': { auth, identitytoken: plant('identity') } } }),
  )
  await put(join(cwd, 'key'), `-----BEGIN PRIVATE KEY-----\n${plant('keyFile')}\n-----END PRIVATE KEY-----\n`)
  await put(
    join(cwd, 'kubeconfig'),
    JSON.stringify({
      'current-context': 'nowhere',
      contexts: [{ name: 'nowhere', context: { cluster: 'nowhere', user: 'me' } }],
      clusters: [{ name: 'nowhere', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [
        { name: 'me', user: { token: plant('kubeToken'), 'client-key-data': base64(plant('keyData')), 'client-key': 'key' } },
        { name: 'other', user: { password: plant('kubePassword') } },
      ],
    }),
  )
  const home = await homes()
  const env = {
    ...home,
    KUBECONFIG: join(cwd, 'kubeconfig'),
    DOCKER_CONFIG: join(cwd, 'docker'),
    DOCKER_HOST: `unix://${cwd}/no.sock`,
    LEAKED_TOKEN: plant('environmentToken'),
    API_KEY: plant('environmentKey'),
    UNRELATED: plant('unrelatedVariable'),
    HTTPS_PROXY: `http://ann:${encodeURIComponent(plant('proxyPassword'))}@127.0.0.1:9`,
    NO_PROXY: '127.0.0.1,localhost',
  }
  const options = { cwd, env }
  const args = ['--', `--password=${plant('argument')}`, '--token', plant('optionValue')]
  const watching = await watch(['--runtime', 'process', ...args], options)
  await watching.until('leaks', ({ status }) => status === 'failed')
  await watching.until('web', ({ ready }) => ready)
  const runDir = join(home.XDG_RUNTIME_DIR ?? '', 'devloop')
  const discovery = async (): Promise<string> =>
    readFile(join(runDir, (await readdir(runDir)).find((name) => name.endsWith('.json')) ?? ''), 'utf8')
  for (const [name, value] of Object.entries(JSON.parse(await discovery()) as Record<string, string>))
    if (/token/i.test(name)) planted[`daemon ${name}`] = value
  // what the process runtime made up
  const place = await watching.client.request('exec', { resource: 'web' })
  if (place.runtime !== 'process') throw new Error('not a process')
  planted.generated = place.env.MADE ?? ''
  expect(planted.generated.length).toBeGreaterThan(10)
  // what an earlier version may have written
  const state = join(home.XDG_STATE_HOME ?? '', 'devloop')
  const [instance = ''] = await readdir(state)
  await appendFile(
    join(state, instance, 'daemon.log'),
    `{"msg":"planted: ${base64(plant('kubeToken'))}"}\ncut off: password=${plant('logged')}\n`,
  )
  await put(join(state, instance, 'defect.json'), JSON.stringify({ problems: { x: { message: `Bearer ${plant('defect')}` } } }))

  const first = await run(['dump', '--output', 'one.json', ...args], options)
  expect([first.code, first.stderr]).toEqual([0, ''])
  expect(first.stdout).toMatch(/^\/\S+\/one\.json\n\nNothing is sent anywhere\./)
  const one = await checked(join(cwd, 'one.json'))
  const daemon = one.daemon as Record<string, unknown>
  expect(daemon).toMatchObject({
    answers: true,
    state: { session: { phase: 'running' } },
    process: { uptimeMs: expect.any(Number) as number },
  })
  expect((daemon.views as { kind: string; name: string }[]).map(({ kind, name }) => `${kind}/${name}`)).toEqual(
    expect.arrayContaining(['session/session', 'resource/web', 'image/web']),
  )
  expect(
    (daemon.actions as { type: string; subject?: string; detail?: string }[]).map(({ type, subject, detail }) => [
      type,
      subject,
      detail,
    ]),
  ).toEqual(
    expect.arrayContaining([
      ['devloopfile/loaded', undefined, undefined],
      ['local/running', 'leaks', undefined],
      ['local/ran', 'leaks', 'local/failed'],
    ]),
  )
  expect(one.devloopfile).toMatchObject({
    text: expect.stringContaining("export default defineDevloop(({ args }) => ({\n  name: 'shop'") as string,
  })
  expect(one.plan).toMatchObject({ name: 'shop', images: { web: { live: [{ kind: 'sync', from: 'src' }] } } })
  expect(one.doctor).toMatchObject({ ok: false })
  expect(one.environment).toMatchObject({ DOCKER_HOST: env.DOCKER_HOST, NO_PROXY: env.NO_PROXY })
  expect(one.environment).not.toHaveProperty('UNRELATED')
  expect(one.log.length).toBeGreaterThan(1)
  expect(one.defect).not.toBeNull()

  // it hangs
  process.kill(watching.child.pid ?? 0, 'SIGSTOP')
  try {
    const second = await run(['dump', '--output', 'two.json', ...args], options)
    expect([second.code, second.stderr]).toEqual([0, ''])
    expect(second.stdout).toContain('devloop runs and did not answer')
  } finally {
    process.kill(watching.child.pid ?? 0, 'SIGCONT')
  }
  const two = await checked(join(cwd, 'two.json'))
  expect(two.daemon).toMatchObject({
    answers: false,
    why: { code: 'timeout' },
    process: { State: expect.stringContaining('stopped') as string },
  })

  // it was killed, and left its discovery file; and the Devloopfile does not load any more
  process.kill(watching.child.pid ?? 0, 'SIGKILL')
  await watching.ended
  expect(await discovery()).toContain('"token"')
  await writeFile(join(cwd, 'Devloopfile.ts'), devloopfile().replace("name: 'shop'", 'name: 7'))
  const third = await run(['dump', '--json', ...args], options)
  const told = JSON.parse(third.stdout) as { file: string; daemon: string }
  expect([third.code, told.daemon]).toEqual([0, 'not running'])
  const three = await checked(told.file)
  expect(three.daemon).toBeNull()
  expect(three.plan).toMatchObject({ error: { code: 'devloopfile/invalid' } })

  const none = await run(['dump', '--output', 'nowhere/four.json'], { cwd, env })
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('[report/write]') as string])
}, 120_000)
