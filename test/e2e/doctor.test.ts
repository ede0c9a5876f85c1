// `devloop doctor` where everything is missing: each thing is told once, with a way out, and nothing stops the others.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homes, project, run, start } from '../support/devloop.js'
import { canLimitWatches, fewWatches } from '../support/few-watches.js'
import { freePort } from '../support/free-port.js'

const devloopfile = `
import { app, defineDevloop, helm, image } from 'devloop'
export default defineDevloop(() => ({
  name: 'shop',
  cluster: { contexts: ['nowhere'] },
  resources: [app('web', { image: image('web', { dockerfile: { inline: 'FROM scratch' } }) }), helm('db', { chart: './chart' })],
}))
`

const chart = 'apiVersion: v2\nname: db\nversion: 1.0.0\n'

test('a machine on which all is missing', async () => {
  const cwd = await project({ 'Devloopfile.ts': devloopfile, 'chart/Chart.yaml': chart })
  const port = await freePort()
  const kubeconfig = join(cwd, 'config')
  await writeFile(
    kubeconfig,
    JSON.stringify({
      'current-context': 'nowhere',
      contexts: [{ name: 'nowhere', context: { cluster: 'nowhere', user: 'me' } }],
      clusters: [{ name: 'nowhere', cluster: { server: `https://127.0.0.1:${port}` } }],
      users: [{ name: 'me', user: { token: 'secret-token' } }],
    }),
  )
  const own = await homes()
  const env = { ...own, KUBECONFIG: kubeconfig, DOCKER_HOST: `unix://${cwd}/no.sock`, PATH: cwd }
  const told = await run(['doctor'], { cwd, env })
  const text = told.stdout
    .replaceAll(cwd, 'DIR')
    .replaceAll(String(port), 'PORT')
    .replaceAll(own.XDG_STATE_HOME ?? '', 'STATE')
    .replace(process.version, 'VERSION')
    .replace(/ \w+\/\w+$/m, ' PLATFORM')
    .replace(/(watch); .*/, '$1; ALLOWED')
    // how full this machine is
    .replace(/^(?:ok|warning) +disk: (.*?: )[\d.]+ [GM]iB free(?:\n {2}.*)*/m, 'disk: $1SOME free')
  expect([told.code, told.stderr]).toEqual([1, ''])
  expect(`\n${text}`).toMatchInlineSnapshot(`
    "
    ok      Node.js: VERSION on PLATFORM
    ok      Devloopfile: shop, with 2 resources
    failed  tools: db needs \`helm\`, which is not installed. [tool/missing]
      It was looked for in PATH.
      Install Helm (https://helm.sh/docs/intro/install), so that \`helm\` is found in PATH.
    ok      file watches: 2 folders to watch; ALLOWED
    failed  cluster: The API server https://127.0.0.1:PORT (context "nowhere") does not answer: could not ask for the version of the cluster. [cluster/unreachable]
      Nothing listens there (connection refused).
      Check that the cluster runs and can be reached.
    skipped user: there is no cluster to ask
    skipped namespace: there is no cluster to ask
    skipped rights: there is no cluster to ask
    failed  engine: The Docker engine at unix://DIR/no.sock (from DOCKER_HOST) does not answer. [engine/unreachable]
      connect ENOENT DIR/no.sock
      Start Docker, or set DOCKER_HOST to the engine to use.
    skipped build: there is no engine to ask
    disk: the state folder STATE/devloop: SOME free
    skipped clock: there is nothing to compare it with
    skipped registry: there is no cluster to ask
    skipped pull: there is no cluster to ask
    skipped DNS: there is no cluster to ask
    "
  `)
  expect(text).not.toContain('secret-token')

  const json = await run(['doctor', '--json'], { cwd, env })
  const { ok, checks } = JSON.parse(json.stdout) as {
    ok: boolean
    checks: { check: string; status: string; ms: number; error?: { code: string } }[]
  }
  expect([json.code, ok]).toEqual([1, false])
  expect(checks.map(({ check, status, error }) => [check, status, error?.code].filter(Boolean).join(' '))).toEqual([
    'Node.js ok',
    'Devloopfile ok',
    'tools failed tool/missing',
    'file watches ok',
    'cluster failed cluster/unreachable',
    'user skipped',
    'namespace skipped',
    'rights skipped',
    'engine failed engine/unreachable',
    'build skipped',
    expect.stringMatching(/^disk (?:ok|warning)/) as string,
    'clock skipped',
    'registry skipped',
    'pull skipped',
    'DNS skipped',
  ])
  expect(checks.every(({ ms }) => ms >= 0)).toBe(true)
})

test('without a Devloopfile, and with a wrong one, the rest is still looked at', async () => {
  const cwd = await project({})
  const env = { ...(await homes()), KUBECONFIG: join(cwd, 'none'), DOCKER_HOST: `unix://${cwd}/no.sock` }
  const none = await run(['doctor'], { cwd, env })
  expect(none.stdout).toMatch(/^skipped Devloopfile: there is none here or above/m)
  expect(none.stdout).toContain('failed  cluster: There is no kubeconfig.')
  await writeFile(join(cwd, 'Devloopfile.ts'), 'export default 7')
  const wrong = await run(['doctor'], { cwd, env })
  expect([none.code, wrong.code]).toEqual([1, 1])
  expect(wrong.stdout).toMatch(/^failed {2}Devloopfile: /m)
  expect(wrong.stdout).toContain('failed  cluster: There is no kubeconfig.')
  const named = await run(['doctor', '--file', 'Other.ts'], { cwd, env })
  expect([named.code, named.stderr]).toEqual([1, expect.stringContaining('[devloopfile/not-found]')])
})

test.skipIf(!canLimitWatches)('more folders than may be watched are told before devloop is started', async () => {
  const folders = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`src/${index}/file`, '']))
  const cwd = await project({
    'Devloopfile.ts': devloopfile,
    ...folders,
    'chart/Chart.yaml': chart,
    'skipped/a/file': '',
    '.dockerignore': 'skipped',
  })
  const env = { ...(await homes()), KUBECONFIG: join(cwd, 'none'), DOCKER_HOST: `unix://${cwd}/no.sock` }
  const { code, stdout } = await start(['doctor', '--json'], { cwd, env, through: fewWatches(20) }).ended
  const { checks } = JSON.parse(stdout) as {
    checks: { check: string; error?: { code: string; message: string; help: string } }[]
  }
  const found = checks.find(({ check }) => check === 'file watches')
  expect([code, found?.error]).toMatchObject([
    1,
    {
      code: 'watch/limit',
      // the context, chart, src and what is in it
      message: 'The plan has 43 folders to watch, which is more than allowed.',
      why: 'user.max_inotify_watches is 20.',
      help: expect.stringContaining('sudo sysctl user.max_inotify_watches=') as string,
    },
  ])
})
