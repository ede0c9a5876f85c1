// Helm releases: installed, upgraded and uninstalled by Helm itself, with the project's images, live sync and hooks.
import { execFile, spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { statusOf } from '../../src/adapters/kube/errors.js'
import type { KubeObject } from '../../src/model/plan.js'
import { waitFor } from '../support/cluster.js'
import { helmDevloopfile } from '../support/helm-devloopfile.js'
import { kubeTools, withKubeTools } from '../support/kube-tools.js'
import { appFiles, loop, type Loop } from '../support/loop.js'

/** @param options beside the chart's own; '' = the resource is not there */
const write = (options: string): ReturnType<typeof helmDevloopfile> =>
  helmDevloopfile(
    options === '' ? '' : `chart: 'chart', values: 'values.dev.yaml', images: [web], forward: { 8080: PORT }, ${options}`,
  )

const templates = (name: string): Record<string, string> => ({
  'chart/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.2.3\n',
  'chart/values.yaml': 'mode: default\nsleep: 0\n',
  'chart/templates/web.yaml': `
apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }}-web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web, app.kubernetes.io/managed-by: {{ .Release.Service }} } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: ${name}/web:none
          env:
            - { name: MODE, value: {{ .Values.mode | quote }} }
            # only what runs in the cluster knows this
            - { name: UPGRADE, value: {{ .Release.IsUpgrade | quote }} }
`,
  'chart/templates/kept.yaml': `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: {{ .Release.Name }}-data }
spec: { accessModes: [ReadWriteOnce], storageClassName: "", resources: { requests: { storage: 1Mi } } }
`,
  'chart/templates/settings.yaml': `
apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }}-settings }
data: { mode: {{ .Values.mode | quote }}, on: "on" }
`,
  'values.dev.yaml': 'mode: dev\n',
})

/** A Job that runs before anything else is installed. */
const hook = (image: string, command: string): string => `
apiVersion: batch/v1
kind: Job
metadata: { name: migrate, annotations: { helm.sh/hook: "pre-install,pre-upgrade" } }
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      containers: [{ name: migrate, image: "${image}", command: [sh, -c, ${JSON.stringify(command)}] }]
`

async function prepared(options = 'release: true', which: 'helm 3' | 'helm 4' = 'helm 4'): Promise<Loop> {
  const one = await loop({ devloopfile: write(options), files: appFiles, env: await withKubeTools(which) })
  for (const [path, text] of Object.entries(templates(one.name))) await one.save(path, text)
  return one
}

/** The user's own Helm. */
async function helm(one: Loop, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(join(await kubeTools(), 'helm'), [...args, '-n', one.namespace], {
    cwd: one.folder,
  })
  return stdout
}

interface Listed {
  name: string
  revision: string
  status: string
  chart: string
}

const releases = async (one: Loop): Promise<readonly Listed[]> =>
  (JSON.parse(await helm(one, 'list', '--output', 'json')) as Listed[]).map(({ name, revision, status, chart }) => ({
    name,
    revision,
    status,
    chart,
  }))

const found = async (one: Loop, path: string): Promise<KubeObject | undefined> => {
  try {
    return (await one.connection.request('GET', path.replace('NS', `namespaces/${one.namespace}`))) as KubeObject
  } catch (error) {
    if (statusOf(error)?.code === 404) return undefined
    throw error
  }
}

test('a release: hooks run the built image, saves are synced, inputs upgrade it, nothing else does, and it goes with its resource', async () => {
  const one = await prepared()
  await one.save('chart/templates/migrate.yaml', hook(`${one.name}/web`, 'echo migrating; cat src/word.txt; echo'))
  const watching = await one.begin()
  await one.answers('one')
  expect(await releases(one)).toEqual([{ name: 'shop', revision: '1', status: 'deployed', chart: 'shop-1.2.3' }])
  expect(JSON.parse(await one.answers(/MODE/, '/env'))).toMatchObject({ MODE: 'dev', UPGRADE: 'false' })
  // the hook ran what was built, and said so
  const job = await found(one, '/apis/batch/v1/NS/jobs/migrate')
  expect(JSON.stringify(job)).not.toContain(`"${one.name}/web"`)
  await waitFor(async () => /migrating/.test((await one.devloop('logs', 'shop')).stdout), { what: "the hook's log" })

  // synced, with no upgrade
  const [before] = await one.pods('shop')
  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
  expect((await one.pods('shop'))[0]?.uid).toBe(before?.uid)
  expect((await releases(one))[0]?.revision).toBe('1')

  // an input
  await one.save('values.dev.yaml', 'mode: other\n')
  await one.answers(/"MODE":"other"/, '/env', 60_000)
  await watching.ready()
  expect((await releases(one))[0]?.revision).toBe('2')
  await one.answers('two')

  // a restart of devloop is none
  watching.child.kill('SIGINT')
  await watching.ended
  const again = await one.begin()
  await one.answers('two')
  expect((await releases(one))[0]?.revision).toBe('2')

  // the image: a file that no rule covers
  await one.save('app/package.json', '{"type":"module","version":"2.0.0"}')
  await waitFor(async () => (await one.pods('shop'))[0]?.image !== before?.image && again.session()?.ready === true, {
    what: 'the new image',
    timeoutMs: 90_000,
  })
  expect((await releases(one))[0]?.revision).toBe('3')

  await one.save('Devloopfile.ts', write('')(one))
  await waitFor(async () => (await releases(one)).length === 0, { what: 'the release to go', timeoutMs: 60_000 })
  await waitFor(async () => (await found(one, '/apis/apps/v1/NS/deployments/shop-web')) === undefined, { what: 'it to be gone' })
  // what holds data stays, and is nobody's of devloop any more
  const labels = async () => (await found(one, '/api/v1/NS/persistentvolumeclaims/shop-data'))?.metadata.labels
  await waitFor(async () => JSON.stringify(await labels()) === '{"app.kubernetes.io/managed-by":"Helm"}', {
    what: 'the claim to be let go',
  })
})

test('a hook that fails is told with what it said; the mending is seen, and so is an object that somebody deletes', async () => {
  const one = await prepared()
  await one.save('chart/templates/migrate.yaml', hook(one.base, 'echo no such table; exit 3'))
  const watching = await one.watch()
  const { error } = await watching.until('shop', (view) => view.error?.code === 'release/failed', 120_000)
  expect(error?.message).toBe('The release shop could not be brought to what shop is.')
  expect(error?.why).toMatch(/pre-install[^]*job\/migrate said last:\nno such table/)
  expect(error?.help).toMatch(/helm rollback shop/)
  expect((await releases(one)).map(({ status }) => status)).toEqual(['failed'])
  await one.save('chart/templates/migrate.yaml', hook(one.base, 'true'))
  await watching.ready(90_000)
  await one.answers('one')

  watching.child.kill('SIGINT')
  await watching.ended
  await one.connection.request('DELETE', `/api/v1/namespaces/${one.namespace}/configmaps/shop-settings`)
  await one.begin()
  expect(await found(one, '/api/v1/NS/configmaps/shop-settings')).toBeDefined()
})

test('a release that Helm did not finish is one error that says what to do, and devloop goes on when it is done', async () => {
  const one = await prepared()
  await one.save('chart/templates/migrate.yaml', hook(one.base, 'sleep {{ .Values.sleep }}'))
  const watching = await one.begin()
  // the user's own upgrade, killed in the middle
  const tool = join(await kubeTools(), 'helm')
  const own = spawn(tool, ['upgrade', 'shop', 'chart', '--set', 'sleep=300', '-n', one.namespace], {
    cwd: one.folder,
    stdio: 'ignore',
  })
  onTestFinished(() => void own.kill('SIGKILL'))
  await waitFor(async () => /pending-upgrade/.test(await helm(one, 'history', 'shop')), { what: 'the upgrade to be pending' })
  own.kill('SIGKILL')
  await one.save('values.dev.yaml', 'mode: other\n')
  const { error } = await watching.until('shop', (view) => view.error?.code === 'release/pending', 60_000)
  expect(error?.message).toBe('The release shop is not done: its revision 2 is pending-upgrade.')
  expect(error?.help).toContain(`helm rollback shop -n ${one.namespace}`)
  await helm(one, 'rollback', 'shop')
  await one.answers(/"MODE":"other"/, '/env', 120_000)
  await watching.ready()
})

test('when devloop ends during an upgrade, the release is failed and not pending, and the next start makes it whole', async () => {
  const one = await prepared()
  await one.save('chart/templates/migrate.yaml', hook(one.base, 'sleep 300'))
  const watching = await one.watch()
  await waitFor(async () => (await found(one, '/apis/batch/v1/NS/jobs/migrate')) !== undefined, {
    what: 'the hook to run',
    timeoutMs: 90_000,
  })
  watching.child.kill('SIGINT')
  await watching.ended
  expect(await helm(one, 'history', 'shop')).toMatch(/failed/)
  await one.save('chart/templates/migrate.yaml', hook(one.base, 'true'))
  await one.begin()
  await one.answers('one')
  expect((await releases(one)).map(({ status }) => status)).toEqual(['deployed'])
})

test("somebody else's release of that name is left alone, until the resource names another", async () => {
  const one = await prepared()
  await helm(one, 'install', 'shop', 'chart', '--set', 'mode=mine')
  const watching = await one.watch()
  const { error } = await watching.until('shop', (view) => view.error?.code === 'release/taken', 90_000)
  expect(error).toMatchObject({
    message: `There is a release shop in namespace ${one.namespace} already.`,
    why: 'devloop did not make it.',
  })
  await one.save('Devloopfile.ts', write(`release: { name: 'mine', timeout: 60 }`)(one))
  await watching.ready(90_000)
  await one.answers('one')
  expect((await releases(one)).map(({ name, revision }) => `${name} ${revision}`).sort()).toEqual(['mine 1', 'shop 1'])
  await one.devloop('down')
})

test('render and diff say what Helm would install; what was applied gives way to a release, and the other way round; down waits', async () => {
  const one = await prepared('')
  await one.save(
    'Devloopfile.ts',
    write('')(one).replace('resources: [', `resources: [helm('shop', { chart: 'chart', images: [web] })`),
  )
  let watching = await one.begin()
  const [plain] = await one.pods('shop')
  await one.save('Devloopfile.ts', write('release: true')(one))
  await waitFor(async () => (await releases(one))[0]?.status === 'deployed', { what: 'the release', timeoutMs: 60_000 })
  await watching.ready(90_000)
  await one.answers('one')
  expect((await one.pods('shop')).map(({ uid }) => uid)).not.toContain(plain?.uid)
  watching.child.kill('SIGINT')
  await watching.ended

  expect(await one.devloop('diff')).toMatchObject({ code: 0, stdout: '', stderr: '' })
  await one.save('values.dev.yaml', 'mode: other\n')
  await one.save(
    'chart/templates/role.yaml',
    'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: "{{ .Release.Namespace }}" }\nrules: []\n',
  )
  const diff = await one.devloop('diff')
  expect(diff).toMatchObject({ code: 1, stderr: '' })
  expect(diff.stdout).toMatch(/configmap\/shop-settings \(changed\)[^]*^- {2}mode: dev\n\+ {2}mode: other$/m)
  expect(diff.stdout).toMatch(new RegExp(`^clusterrole/${one.namespace} \\(new\\)$`, 'm'))
  await rm(join(one.folder, 'chart/templates/role.yaml'))
  const rendered = await one.devloop('render', 'shop')
  expect(rendered).toMatchObject({ code: 0, stderr: '' })
  expect(rendered.stdout).toMatch(/mode: other/)
  expect(rendered.stdout).toMatch(/name: UPGRADE\n\s+value: "true"/)
  expect(rendered.stdout).not.toContain(`image: ${one.name}/web`)
  expect((await releases(one))[0]?.revision).toBe('1')

  const down = await one.devloop('down')
  expect({ code: down.code, stderr: down.stderr }).toEqual({ code: 0, stderr: '' })
  expect(down.stdout).toMatch(/deleted release\/shop/)
  expect(down.stdout).toMatch(/kept persistentvolumeclaim\/shop-data/)
  expect(await releases(one)).toEqual([])
  expect(await found(one, '/apis/apps/v1/NS/deployments/shop-web')).toBeUndefined()

  watching = await one.begin()
  await one.save('Devloopfile.ts', write('release: false')(one))
  await waitFor(async () => (await releases(one)).length === 0, { what: 'the release to go', timeoutMs: 60_000 })
  await watching.ready(90_000)
  await one.answers('one')
})

test('with Helm 3: all of it but hooks that run a built image, which is told', async () => {
  const one = await prepared('release: true', 'helm 3')
  const watching = await one.begin()
  await one.answers('one')
  const [before] = await one.pods('shop')
  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
  expect((await one.pods('shop'))[0]?.uid).toBe(before?.uid)
  await one.save('chart/templates/migrate.yaml', hook(`${one.name}/web`, 'true'))
  const { error } = await watching.until('shop', (view) => view.error?.code === 'tool/version', 60_000)
  expect(error).toMatchObject({
    message: 'The release of shop needs Helm 4.',
    why: expect.stringMatching(/job\/migrate/) as string,
  })
  await one.save('chart/templates/migrate.yaml', hook(one.base, 'true'))
  await watching.ready(90_000)
  watching.child.kill('SIGINT')
  await watching.ended
  expect(await one.devloop('down')).toMatchObject({ code: 0 })
  expect(await releases(one)).toEqual([])
})
