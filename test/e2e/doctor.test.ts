// `devloop doctor` where everything is missing: each thing is told once, with a way out, and nothing stops the others.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { homes, project, run } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'

const devloopfile = `
import { app, defineDevloop, helm, image } from 'devloop'
export default defineDevloop(() => ({
  name: 'shop',
  cluster: { contexts: ['nowhere'] },
  resources: [app('web', { image: image('web', { dockerfile: { inline: 'FROM scratch' } }) }), helm('db', { chart: './chart' })],
}))
`

test('a machine on which all is missing', async () => {
  const cwd = await project({ 'Devloopfile.ts': devloopfile, 'chart/Chart.yaml': 'apiVersion: v2\nname: db\nversion: 1.0.0\n' })
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
  const env = { ...(await homes()), KUBECONFIG: kubeconfig, DOCKER_HOST: `unix://${cwd}/no.sock`, PATH: cwd }
  const told = await run(['doctor'], { cwd, env })
  const text = told.stdout.replaceAll(cwd, 'DIR').replaceAll(String(port), 'PORT')
  expect([told.code, told.stderr]).toEqual([1, ''])
  expect(`\n${text}`).toMatchInlineSnapshot(`
    "
    ok      Devloopfile: shop, with 2 resources
    failed  tools: db needs \`helm\`, which is not installed. [tool/missing]
      It was looked for in PATH.
      Install Helm (https://helm.sh/docs/intro/install), so that \`helm\` is found in PATH.
    failed  cluster: The API server https://127.0.0.1:PORT (context "nowhere") does not answer: could not ask for the version of the cluster. [cluster/unreachable]
      Nothing listens there (connection refused).
      Check that the cluster runs and can be reached.
    skipped user: there is no cluster to ask
    skipped namespace: there is no cluster to ask
    skipped rights: there is no cluster to ask
    failed  engine: The Docker engine at unix://DIR/no.sock (from DOCKER_HOST) does not answer. [engine/unreachable]
      connect ENOENT DIR/no.sock
      Start Docker, or set DOCKER_HOST to the engine to use.
    skipped registry: there is no cluster to ask
    "
  `)
  expect(text).not.toContain('secret-token')

  const json = await run(['doctor', '--json'], { cwd, env })
  const { ok, checks } = JSON.parse(json.stdout) as {
    ok: boolean
    checks: { check: string; status: string; error?: { code: string } }[]
  }
  expect([json.code, ok]).toEqual([1, false])
  expect(checks.map(({ check, status, error }) => [check, status, error?.code].filter(Boolean).join(' '))).toEqual([
    'Devloopfile ok',
    'tools failed tool/missing',
    'cluster failed cluster/unreachable',
    'user skipped',
    'namespace skipped',
    'rights skipped',
    'engine failed engine/unreachable',
    'registry skipped',
  ])
})

test('without a Devloopfile, and with a wrong one, the rest is still looked at', async () => {
  const cwd = await project({})
  const env = { ...(await homes()), KUBECONFIG: join(cwd, 'none'), DOCKER_HOST: `unix://${cwd}/no.sock` }
  const none = await run(['doctor'], { cwd, env })
  expect(none.stdout).toMatch(/^skipped Devloopfile: there is none here or above/)
  expect(none.stdout).toContain('failed  cluster: There is no kubeconfig.')
  await writeFile(join(cwd, 'Devloopfile.ts'), 'export default 7')
  const wrong = await run(['doctor'], { cwd, env })
  expect([none.code, wrong.code]).toEqual([1, 1])
  expect(wrong.stdout).toMatch(/^failed {2}Devloopfile: /)
  expect(wrong.stdout).toContain('failed  cluster: There is no kubeconfig.')
  const named = await run(['doctor', '--file', 'Other.ts'], { cwd, env })
  expect([named.code, named.stderr]).toEqual([1, expect.stringContaining('[devloopfile/not-found]')])
})
