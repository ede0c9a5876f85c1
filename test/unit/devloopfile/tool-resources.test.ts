// kustomize, helm and custom: what becomes of them in the plan, and what is wrong with them.
import { expect, test } from 'vitest'
import { project } from './project.js'

const devloopfile = (resources: string): string => `
import { custom, defineDevloop, helm, image, kustomize, manifests } from 'devloop'
const web = image('shop/web', { dockerfile: { inline: 'FROM scratch' } })
export default defineDevloop({ name: 'shop', resources: [${resources}] })
`
const files = {
  'deploy/dev/kustomization.yaml': 'resources: []\n',
  'charts/shop/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
  'values.yaml': 'a: 1\n',
}

test('each becomes complete data, with absolute paths', async () => {
  const { plan, root } = project({
    ...files,
    'Devloopfile.ts': devloopfile(`
      kustomize('dev', 'deploy/dev', { images: [web], imageEnv: ['WORKER'], forward: 8080 }),
      helm('chart', { chart: 'charts/shop', values: ['values.yaml', { b: [1, { c: true }] }], set: { 'x.y': 1 } }),
      helm('far', { chart: 'redis', repo: 'https://charts.test', version: '~1.2', namespace: 'other', crds: false }),
      helm('oci', { chart: 'oci://registry.test/charts/redis', plainHttp: true }),
      helm('real', { chart: 'charts/shop', release: true }),
      helm('named', { chart: 'charts/shop', release: { name: 'other', timeout: 20 } }),
      helm('not', { chart: 'charts/shop', releaseName: 'one', release: false }),
      custom('own', { apply: ['make', 'apply'], delete: 'make delete', watch: './src/**', images: [web], env: { A: 1 }, selector: { app: 'x' }, timeout: 5 }),
    `),
  })
  const { resources } = await plan()
  expect(resources).toMatchObject({
    real: { releaseName: 'real', release: { timeoutMs: 300_000 } },
    named: { releaseName: 'other', release: { timeoutMs: 20_000 } },
  })
  expect(resources.not).not.toHaveProperty('release')
  expect(JSON.parse(JSON.stringify(resources).replaceAll(root, 'ROOT'))).toMatchObject({
    dev: {
      kind: 'kustomize',
      folder: 'ROOT/deploy/dev',
      flags: [],
      images: ['shop/web'],
      imageEnv: ['WORKER'],
      forward: [{ local: 8080, port: 8080 }],
    },
    chart: {
      kind: 'helm',
      chart: { path: 'ROOT/charts/shop' },
      releaseName: 'chart',
      values: [{ file: 'ROOT/values.yaml' }, { inline: { b: [1, { c: true }] } }],
      set: { 'x.y': 1 },
      crds: true,
      dependencies: true,
    },
    far: { chart: { name: 'redis', repo: 'https://charts.test', version: '~1.2' }, namespace: 'other', crds: false },
    oci: { chart: { name: 'oci://registry.test/charts/redis', plainHttp: true } },
    own: {
      kind: 'custom',
      apply: ['make', 'apply'],
      delete: 'make delete',
      cwd: 'ROOT',
      watch: ['src/**'],
      env: { A: '1' },
      timeoutMs: 5000,
    },
  })
})

test('what is wrong with them is told with what was meant', async () => {
  const { errors } = project({
    ...files,
    'deploy/empty/other.yaml': '',
    'Devloopfile.ts': devloopfile(`
      kustomize('none', 'deploy/nowhere'),
      kustomize('empty', 'deploy/empty'),
      helm('a', { chart: 'charts/shpo' }),
      helm('b', { chart: 'charts/shop', version: '1.0.0', values: ['value.yaml', 7 as never], set: { x: [] as never } }),
      helm('c', { chart: 'redis', repo: 'oci://registry.test/charts' }),
      helm('f', { chart: 'charts/shop', releaseName: 'one', release: { name: 'two' } }),
      helm('i', { chart: 'charts/shop', plainHttp: true }),
      helm('g', { chart: 'charts/shop', release: 'yes' as never }),
      helm('h', { chart: 'charts/shop', release: { timeout: 0, wait: true } as never }),
      custom('d', { delete: 'x' } as never),
      custom('e', { apply: 'x', watch: '../y', images: ['shop/web'] as never }),
    `),
  })
  const text = await errors()
  for (const part of [
    "kustomize 'none': there is no folder 'deploy/nowhere'.",
    "kustomize 'empty': the folder 'deploy/empty' holds no kustomization.",
    "helm 'a': there is no chart 'charts/shpo'.",
    "helm 'b': `version` is for charts of a repository: a local chart has its own.",
    "helm 'b': there is no file 'value.yaml' for `values[0]`.",
    "helm 'b': `values[1]` must be the path of a file, or an object.",
    "helm 'b': `set.x` must be a string, number or boolean.",
    "helm 'c': `repo` must be the address of a chart repository.",
    "`chart: 'oci://registry.test/charts/redis'`",
    "helm 'f': `releaseName` and `release.name` say two names for one release.",
    "helm 'i': `plainHttp` is for charts of a registry",
    "helm 'g': `release` must be true, false or an object.",
    "helm 'h': `release.timeout` must be",
    "helm 'h': there is no option `release.wait`.",
    "custom 'd': `apply` is missing.",
    "custom 'e': a pattern of `watch` leads out of `cwd`.",
    "custom 'e': `images[0]` must be an image.",
  ])
    expect(text).toContain(part)
})

test('an image that stands where devloop does not look: the error says what to write', async () => {
  const { errors, write, plan } = project({
    'Devloopfile.ts': devloopfile(`manifests('all', 'all.yaml', { images: [web] })`),
    'all.yaml': 'apiVersion: ci.test/v1\nkind: Runner\nmetadata: { name: r }\nspec: { steps: [{ image: "shop/web:v1" }] }\n',
  })
  expect(await errors()).toContain("Say where it stands: imageFields: [{ kind: 'Runner', path: 'spec.steps[*].image' }]")
  write({
    'Devloopfile.ts': devloopfile(
      `manifests('all', 'all.yaml', { images: [web], imageFields: [{ kind: 'Runner', path: 'spec.steps[*].image' }] })`,
    ),
  })
  expect((await plan()).resources.all).toMatchObject({ images: ['shop/web'] })
})

test('places of images that cannot be', async () => {
  const { errors } = project({
    'Devloopfile.ts': devloopfile(`
      manifests('a', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }, { imageFields: [{ kind: 'X', path: 'spec[0].image' }, { kind: 'X', path: 'spec', tag: 't' }] }),
      manifests('b', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'q' } }, { imageEnv: 'WORKER' as never }),
    `),
  })
  const text = await errors()
  expect(text).toContain("`imageFields[0].path` must be names with dots between them, such as 'spec.steps[*].image'.")
  expect(text).toContain('`imageFields[1]` has a `tag` and no `repository`.')
  expect(text).toContain('`imageFields` says where images stand, and `images` names none.')
  expect(text).toContain('`imageEnv` must be true, or an array of names of variables.')
})
