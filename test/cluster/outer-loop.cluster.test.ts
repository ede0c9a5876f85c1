// The example of the outer loop: its files are what their systems take, and each of their devloop commands works.
import { execFile } from 'node:child_process'
import { chmod, cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse, parseAllDocuments } from 'yaml'
import { describe, expect, onTestFinished, test } from 'vitest'
import { testImage, testKubeconfig, testNamespace } from '../support/cluster.js'
import { cli, homes, project, put, repository } from '../support/devloop.js'
import { withKubeTools } from '../support/kube-tools.js'

const example = join(repository, 'examples/outer-loop')
const read = (path: string): Promise<string> => readFile(join(example, path), 'utf8')

interface Workflow {
  readonly on: object
  readonly jobs: Readonly<Record<string, { 'runs-on': string; needs?: string; steps: readonly Step[] }>>
}
interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: object
}
interface Tekton {
  readonly apiVersion: string
  readonly kind: 'Task' | 'Pipeline'
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly params?: readonly Named[]
    readonly workspaces?: readonly Named[]
    readonly steps?: readonly { readonly image: string; readonly script: string; readonly workingDir: string }[]
    readonly tasks?: readonly {
      readonly name: string
      readonly runAfter?: readonly string[]
      readonly taskRef: Named
      readonly params: readonly { readonly name: string; readonly value: string }[]
      readonly workspaces: readonly { readonly name: string; readonly workspace: string }[]
    }[]
  }
}
interface Named {
  readonly name: string
}

const workflow = async () => parse(await read('.github/workflows/release.yaml'), { strict: true }) as Workflow
const tekton = async () =>
  (await Promise.all(['tekton/tasks.yaml', 'tekton/pipeline.yaml'].map(read))).flatMap((text) =>
    parseAllDocuments(text, { strict: true }).map((document) => {
      expect(document.errors).toEqual([])
      return document.toJS() as Tekton
    }),
  )
const names = (list: readonly Named[] = []): readonly string[] => list.map(({ name }) => name)

/** The lines of scripts that call devloop. */
const commandsIn = (scripts: readonly string[]): readonly string[] =>
  scripts.flatMap((script) => script.split('\n').filter((line) => line.includes('npx devloop')))

describe('the files', () => {
  test('a workflow of GitHub: jobs that come after jobs that exist, steps that either use or run something', async () => {
    const { on, jobs } = await workflow()
    expect(Object.keys(on).length).toBeGreaterThan(0)
    for (const { 'runs-on': machine, needs, steps } of Object.values(jobs)) {
      expect(machine).toBe('ubuntu-latest')
      if (needs !== undefined) expect(Object.keys(jobs)).toContain(needs)
      for (const { uses, run } of steps) {
        expect([uses, run].filter(Boolean)).toHaveLength(1)
        if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@v\d+$/)
      }
    }
  })

  test('Tasks and a Pipeline of Tekton: what is used is declared, and what is ours is called as it wants', async () => {
    const all = await tekton()
    const tasks = all.filter(({ kind }) => kind === 'Task')
    for (const { apiVersion, spec } of all) {
      expect(apiVersion).toBe('tekton.dev/v1')
      const text = JSON.stringify(spec)
      for (const [, name] of text.matchAll(/\$\(params\.([\w-]+)\)/g)) expect(names(spec.params)).toContain(name)
      for (const [, name] of text.matchAll(/\$\(workspaces\.([\w-]+)\.path\)/g)) expect(names(spec.workspaces)).toContain(name)
      for (const { script } of spec.steps ?? []) expect(script).toMatch(/^#!\/bin\/sh\nset -e\n/)
    }
    const pipeline = all.find(({ kind }) => kind === 'Pipeline')
    expect(pipeline?.spec.tasks?.length).toBeGreaterThan(0)
    for (const { taskRef, params, workspaces, runAfter = [] } of pipeline?.spec.tasks ?? []) {
      for (const before of runAfter) expect(names(pipeline?.spec.tasks)).toContain(before)
      for (const { workspace } of workspaces) expect(names(pipeline?.spec.workspaces)).toContain(workspace)
      const own = tasks.find(({ metadata }) => metadata.name === taskRef.name)
      if (!own) continue
      expect(names(params).toSorted()).toEqual(names(own.spec.params).toSorted())
      expect(names(workspaces)).toEqual(names(own.spec.workspaces))
    }
    expect(tasks.map(({ metadata }) => metadata.name).every((name) => JSON.stringify(pipeline).includes(`"${name}"`))).toBe(true)
  })
})

test('each devloop command of theirs works, in their order, and what was ejected is applied', async () => {
  const namespace = await testNamespace('devloop-outer')
  onTestFinished(() => namespace.remove())
  const kubeconfig = await testKubeconfig({ namespace: namespace.name, context: 'kind-ci' })
  onTestFinished(() => kubeconfig.remove())
  const base = await testImage()
  const folder = await project({})
  await cp(example, folder, { recursive: true })
  // the cluster of the test is nobody's own
  const file = join(folder, 'Devloopfile.ts')
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replace("name: 'outer',", "name: 'outer', cluster: { contexts: ['*'] },"))
  // as npm would find it
  await put(join(folder, 'bin/npx'), `#!/bin/sh\n[ "$1" = devloop ] && shift\nexec ${process.execPath} ${cli} "$@"\n`)
  await chmod(join(folder, 'bin/npx'), 0o755)
  const tools = await withKubeTools()
  const env = {
    ...process.env,
    ...tools,
    PATH: `${join(folder, 'bin')}:${tools.PATH}`,
    ...(await homes()),
    KUBECONFIG: kubeconfig.file,
    NAMESPACE: namespace.name,
    IMAGE: 'ghcr.io/me/api:1',
  }
  const sh = (line: string) => promisify(execFile)('sh', ['-ec', line], { cwd: folder, env, timeout: 240_000 })

  const steps = Object.values((await workflow()).jobs).flatMap((job) => job.steps.flatMap(({ run }) => run ?? []))
  const scripts = (await tekton()).flatMap(({ spec }) => (spec.steps ?? []).map(({ script }) => script))
  const commands = [...commandsIn(steps), ...commandsIn(scripts)]
  expect(commands.map((line) => line.replace(/^.*npx devloop (\S+).*$/, '$1'))).toEqual(['ci', 'render', 'eject', 'ci', 'eject'])
  for (const line of commands) await sh(`${line} -- ${base}`)

  expect(await readFile(join(folder, 'report.xml'), 'utf8')).toContain('failures="0" errors="0"')
  expect(await readFile(join(folder, 'rendered.yaml'), 'utf8')).toContain('kind: Deployment')
  const { images, resources } = parse(await readFile(join(folder, 'deploy/base/kustomization.yaml'), 'utf8')) as {
    images: object[]
    resources: string[]
  }
  expect(images).toEqual([{ name: 'outer/api', newName: 'ghcr.io/me/api', newTag: '1' }])
  expect(resources).toEqual(['api.yaml'])
  // the last one is for a cluster with Routes
  await sh(`${commandsIn(steps).at(-1)} -- ${base}`)
  const { stdout, stderr } = await sh('kubectl apply --dry-run=server --validate=strict -k deploy/base')
  expect(stderr).toBe('')
  expect(stdout).toContain('ingress.networking.k8s.io/api')
})
