// `devloop eject`: what it writes is applied as it is by kubectl, runs, and is never written over.
import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { waitFor } from '../support/cluster.js'
import { withKubeTools } from '../support/kube-tools.js'
import { appFiles, loop, type Loop, type Names } from '../support/loop.js'

const devloopfile = ({ name, namespace, base, port }: Names): string => `
import { app, config, defineDevloop, generated, image, secret, text } from 'devloop'
const password = generated('password')
const settings = config('settings', { values: { MODE: 'fast', MOTTO: 'one\\ntwo' } })
const creds = secret('creds', { values: { TOKEN: 'never-to-be-seen' } })
const serve = ['node', '-e', "require('http').createServer((q, s) => s.end(JSON.stringify(process.env))).listen(8080)"]
const db = app('db', { image: '${base}', command: serve, port: 8080, env: { PASSWORD: password } })
const web = image('${name}/web', { context: 'app', target: 'dev', args: { BASE: '${base}' } })
const api = app('api', {
  image: web, ports: { http: 8080 }, forward: { http: ${port} }, needs: [db], debug: 'node', command: serve,
  envFrom: [settings, creds], env: { URL: text\`http://u:\${password}@\${db.address}\` }, volumes: { '/etc/api': { files: 'conf' } },
  expose: { host: 'api.test' }, serviceAccount: { rules: [{ resources: ['pods'], verbs: ['get'] }] },
})
export default defineDevloop({ name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}' }, resources: [db, api] })
`
const stages = `ARG BASE
FROM \${BASE} AS prod
COPY package.json /
FROM prod AS dev
`

async function kubectl(one: Loop, ...args: string[]): Promise<string> {
  const env = { ...process.env, ...(await withKubeTools()) }
  const { stdout, stderr } = await promisify(execFile)('kubectl', ['-n', one.namespace, ...args], { env })
  expect(stderr).toBe('')
  return stdout
}

const filesIn = async (folder: string): Promise<Readonly<Record<string, string>>> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await readFile(path, 'utf8')] as const)))
}

test('as YAML and as a kustomization it is applied as it is and runs; the same again writes nothing, and what was changed stays', async () => {
  const one = await loop({ devloopfile, files: { ...appFiles, 'app/Dockerfile': stages, 'conf/api.conf': 'a=1\n' } })
  const image = ['--image', `${one.name}/web=${one.base}`]
  const yaml = await one.devloop('eject', 'api', 'db', '--dir', 'plain', ...image)
  expect([yaml.code, yaml.stderr]).toEqual([0, expect.stringContaining('secrets.yaml.template names the Secrets')])
  expect(yaml.stdout).toBe(
    ['db.yaml', 'api.yaml', 'settings.yaml', 'secrets.yaml.template'].map((name) => `wrote plain/${name}\n`).join(''),
  )
  const plain = join(one.folder, 'plain')
  expect((await kubectl(one, 'apply', '--dry-run=server', '--validate=strict', '-f', plain)).trim().split('\n')).toHaveLength(11)

  // what is not said is said: which image that is, and that there is a better one
  const base = await one.devloop('eject', 'api', 'db', '--dir', 'base', '--output', 'kustomize')
  expect(base.code).toBe(0)
  expect(base.stderr).toContain(`${one.name}/web stands as ${one.name}/web:latest, for it is not built`)
  expect(base.stderr).toContain('its Dockerfile has a stage prod')

  // the same again, and with what somebody changed
  const before = await filesIn(one.folder)
  expect(await one.devloop('eject', 'api', 'db', '--dir', 'plain', ...image)).toMatchObject({ code: 0, stdout: '' })
  const again = await one.devloop('eject', 'api', 'db', '--dir', 'plain', '--json', ...image)
  expect(JSON.parse(again.stdout)).toEqual({ written: [] })
  const { files } = JSON.parse((await one.devloop('eject', 'api', 'db', '--json', ...image)).stdout) as {
    files: { path: string; content: string }[]
  }
  expect(Object.fromEntries(files.map(({ path, content }) => [join(plain, path), content]))).toEqual(await filesIn(plain))
  expect(await filesIn(one.folder)).toEqual(before)
  for (const content of Object.values(before))
    if (!content.includes('defineDevloop')) expect(content).not.toContain('never-to-be-seen')
  const kustomization = join(one.folder, 'base/kustomization.yaml')
  const { images } = parse(await readFile(kustomization, 'utf8')) as { images: object[] }
  expect(images).toEqual([{ name: `${one.name}/web`, newTag: 'latest' }])
  const refused = await one.devloop('eject', 'api', 'db', '--dir', 'base', '--output', 'kustomize', ...image)
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining('base/kustomization.yaml is there already, and differs'),
  ])
  expect(await filesIn(one.folder)).toEqual(before)
  const forced = await one.devloop('eject', 'api', 'db', '--dir', 'base', '--output', 'kustomize', '--force', ...image)
  expect([forced.code, forced.stdout]).toEqual([0, 'wrote base/kustomization.yaml\n'])

  // the outer loop: Secrets from elsewhere, and one command
  const template = await readFile(join(one.folder, 'base/secrets.yaml.template'), 'utf8')
  const secrets = join(one.folder, 'filled.yaml')
  await writeFile(secrets, template.replaceAll('<password>', 'from-the-store').replaceAll('<creds/TOKEN>', 'token-1'))
  await kubectl(one, 'apply', '-f', secrets)
  await kubectl(one, 'apply', '--validate=strict', '-k', join(one.folder, 'base'))
  const pods = `/api/v1/namespaces/${one.namespace}/pods`
  const ready = async () => {
    const { items } = (await one.connection.request('GET', pods)) as {
      items: {
        metadata: { labels: Record<string, string> }
        status: { podIP?: string; conditions?: { type: string; status: string }[] }
      }[]
    }
    return items.filter(({ status }) => status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'))
  }
  await waitFor(async () => (await ready()).length === 2, { what: 'both to be ready', timeoutMs: 120_000 })
  const api = (await ready()).find(({ metadata }) => metadata.labels['app.kubernetes.io/name'] === 'api')
  const env = (await (await fetch(`http://${api?.status.podIP}:8080`)).json()) as Record<string, string>
  expect(env).toMatchObject({ MODE: 'fast', MOTTO: 'one\ntwo', TOKEN: 'token-1', URL: 'http://u:from-the-store@db:8080' })
})

test('what cannot be ejected is told, and nothing is written', async () => {
  const one = await loop({ devloopfile, files: { ...appFiles, 'app/Dockerfile': stages, 'conf/api.conf': 'a=1\n' } })
  const errorOf = async (...args: string[]) => {
    const { code, stderr } = await one.devloop('eject', ...args)
    return [code, stderr]
  }
  expect(await errorOf()).toEqual([2, expect.stringContaining('name the resources to eject')])
  expect(await errorOf('apii')).toEqual([1, expect.stringContaining("there is no resource 'apii'")])
  expect(await errorOf('api', '--image', 'web=x:1')).toEqual([2, expect.stringContaining("there is no image 'web'")])
  expect(await errorOf('api', '--image', 'web')).toEqual([2, expect.stringContaining('NAME=REFERENCE')])
  expect(await errorOf('api', '--output', 'kustomize')).toEqual([2, expect.stringContaining('--dir')])
})
