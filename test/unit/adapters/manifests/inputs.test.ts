import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { helmInputs } from '../../../../src/adapters/manifests/helm-chart.js'
import { kustomizeInputs } from '../../../../src/adapters/manifests/kustomize-inputs.js'
import type { HelmSpec } from '../../../../src/model/plan.js'
import { plainGraph } from '../../../support/plain-graph.js'

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'devloop-inputs-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return folder
}

test('a kustomization reads its bases, components, generators and patches, and what is not there yet', async () => {
  const folder = await folderWith({
    'dev/kustomization.yaml': `
resources: [../base, "https://github.com/other/repo//deploy?ref=v1", git@github.com:other/repo]
components: [../parts/tls]
patches: [{ path: patch.yaml }, { patch: "- op: remove\\n  path: /spec", target: { kind: Service } }]
configMapGenerator: [{ name: settings, files: [key=files/settings.json, plain.txt], envs: [dev.env], literals: [A=b] }]
images: [{ name: shop/api, newTag: x }]
helmCharts: [{ name: cache, chartHome: charts }]
`,
    'dev/charts/cache/Chart.yaml': '',
    'base/Kustomization': 'resources: [all.yaml, missing.yaml]\n',
    'base/all.yaml': '',
    'parts/tls/kustomization.yml': 'kind: Component\n',
  })
  const inputs = await kustomizeInputs(join(folder, 'dev'))
  const paths = inputs.map(({ root }) => relative(folder, root))
  expect(paths).toEqual(
    expect.arrayContaining([
      'base/Kustomization',
      'base/all.yaml',
      'base/missing.yaml',
      'parts/tls/kustomization.yml',
      'dev/kustomization.yaml',
      'dev/patch.yaml',
      'dev/files/settings.json',
      'dev/plain.txt',
      'dev/dev.env',
      'dev/charts',
    ]),
  )
  expect(paths.filter((path) => /github|\n|shop\/api|A=b/.test(path))).toEqual([])
})

test('bases in a circle and a kustomization that is no YAML end', async () => {
  const folder = await folderWith({
    'a/kustomization.yaml': 'resources: [../b]',
    'b/kustomization.yaml': 'resources: [../a, "{"',
  })
  expect((await kustomizeInputs(join(folder, 'a'))).length).toBeGreaterThan(0)
})

test('a chart is its folder with the charts that it depends on here, without the archives that are made of them', async () => {
  const folder = await folderWith({
    'shop/Chart.yaml':
      'name: shop\ndependencies: [{ name: cache, repository: "file://../cache" }, { name: far, repository: "https://charts.test" }]',
    'cache/Chart.yaml': 'name: cache\ndependencies: [{ name: deep, repository: "file://../deep" }]',
    'deep/Chart.yaml': 'name: deep',
  })
  const spec: HelmSpec = {
    ...plainGraph,
    kind: 'helm',
    name: 'shop',
    chart: { path: join(folder, 'shop') },
    releaseName: 'shop',
    values: [{ file: join(folder, 'values.yaml') }, { inline: { a: 1 } }],
    set: {},
    apiVersions: [],
    crds: true,
    dependencies: true,
    images: [],
    needs: [],
    forward: [],
    at: { file: '/p/Devloopfile.ts', line: 1 },
  }
  const inputs = (await helmInputs(spec)).map(({ root, except }) => [relative(folder, root), ...except])
  expect(inputs).toEqual([
    ['deep', 'tmpcharts*', 'charts/tmpcharts*'],
    ['cache', 'tmpcharts*', 'charts/tmpcharts*', 'charts/deep-*.tgz'],
    ['shop', 'tmpcharts*', 'charts/tmpcharts*', 'charts/cache-*.tgz', 'charts/far-*.tgz'],
    ['values.yaml'],
  ])
  expect((await helmInputs({ ...spec, chart: { name: 'x', repo: 'https://charts.test' }, values: [] })).length).toBe(0)
})
