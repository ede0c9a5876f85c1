// What a reload has to touch.
import { expect, test } from 'vitest'
import type { AppSpec, ImageSpec, LocalSpec, ManifestsSpec, Plan, ResourceSpec } from '../../../src/model/plan.js'
import { diffPlans } from '../../../src/model/plan-diff.js'
import { plainGraph } from '../../support/plain-graph.js'

const at = (line: number) => ({ file: '/p/Devloopfile.ts', line, column: 3 })
const image: ImageSpec = {
  name: 'shop/api',
  context: '/p/api',
  dockerfile: { path: '/p/api/Dockerfile' },
  args: { at: '1' },
  live: [{ kind: 'sync', from: 'src', to: '/app', at: at(2) }],
  at: at(1),
}
const app: AppSpec = {
  kind: 'app',
  name: 'api',
  image: { built: 'shop/api' },
  ports: { http: 80, admin: 81 },
  env: { at: [{ kind: 'literal', text: 'x' }], B: [] },
  replicas: 1,
  ...plainGraph,
  forward: [],
  at: at(3),
}
const user: AppSpec = {
  ...app,
  name: 'web',
  ports: {},
  env: { API: [{ kind: 'address', resource: 'api', part: 'address' }] },
  at: at(4),
}
const manifests: ManifestsSpec = {
  kind: 'manifests',
  name: 'legacy',
  objects: [{ object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, at: { line: 1 } }, at: at(5) }],
  images: [],
  ...plainGraph,
  forward: [],
  at: at(6),
}
const local: LocalSpec = {
  kind: 'local',
  name: 'gen',
  run: 'x',
  cwd: '/p',
  watch: ['a', 'b'],
  restart: 'never',
  env: {},
  ...plainGraph,
  forward: [],
  at: at(7),
}

const plan = (resources: readonly ResourceSpec[], images: readonly ImageSpec[] = [image], rest: Partial<Plan> = {}): Plan => ({
  name: 'shop',
  file: '/p/Devloopfile.ts',
  root: '/p',
  cluster: { contexts: ['kind-*'] },
  settings: {
    parallel: { builds: 2, deploys: 8, locals: 4 },
    prune: false,
    ci: { timeoutMs: 1, readinessTimeoutMs: 1, graceMs: 0 },
    agent: true,
  },
  images: Object.fromEntries(images.map((one) => [one.name, one])),
  resources: Object.fromEntries(resources.map((one) => [one.name, one])),
  ...rest,
})
const all = [app, user, manifests, local]
const none = { added: [], changed: [], removed: [] }

/** Moved down in its file by some lines. */
const moved = <T>(value: T): T =>
  JSON.parse(JSON.stringify(value), (key, item: unknown) =>
    key === 'at' && typeof item === 'object' && item !== null && 'file' in item ? { ...item, line: 99 } : item,
  ) as T

test('everything is new without an old plan', () => {
  expect(diffPlans(undefined, plan(all))).toEqual({
    images: { ...none, added: ['shop/api'] },
    resources: { ...none, added: ['api', 'web', 'legacy', 'gen'] },
    project: true,
    same: false,
  })
})

test('positions, the order of resources and the order of keys count for nothing', () => {
  const reordered = { ...app, env: { B: [], at: app.env.at ?? [] } }
  const next = plan([moved(local), moved(reordered), moved(manifests), moved(user)], [moved(image)])
  expect(diffPlans(plan(all), next)).toEqual({ images: none, resources: none, project: false, same: true })
})

test('what was added and removed', () => {
  const diff = diffPlans(plan([app, local]), plan([manifests, app], []))
  expect(diff).toMatchObject({
    images: { removed: ['shop/api'] },
    resources: { added: ['legacy'], changed: [], removed: ['gen'] },
    same: false,
  })
})

test.each<[string, ResourceSpec]>([
  ['a variable named `at`', { ...app, env: { ...app.env, at: [{ kind: 'literal', text: 'y' }] } }],
  ['an option that came', { ...app, command: ['x'] }],
  ['what is forwarded', { ...app, forward: [{ local: 1, port: 'http' }] }],
  [
    'a field named `at` of an object',
    { ...manifests, objects: [{ object: { ...manifests.objects[0]!.object, at: { line: 2 } }, at: at(5) }] },
  ],
  ['one object more', { ...manifests, objects: [...manifests.objects, ...manifests.objects] }],
  ['the order of a list', { ...local, watch: ['b', 'a'] }],
  ['another kind of the same name', { ...local, name: 'legacy' }],
])('a changed resource: %s', (_what, changed) => {
  const next = plan(all.map((one) => (one.name === changed.name ? changed : one)))
  expect(diffPlans(plan(all), next).resources).toEqual({ ...none, changed: [changed.name] })
})

test('an argument named `at` changes an image, and its users are not changed by that', () => {
  const diff = diffPlans(plan(all), plan(all, [{ ...image, args: { at: '2' } }]))
  expect(diff).toMatchObject({ images: { changed: ['shop/api'] }, resources: none, same: false })
})

test.each([
  ['another number', { http: 8080, admin: 81 }],
  ['another first port', { admin: 81, http: 80 }],
])('whoever refers to the address of an app changes with its ports: %s', (_what, ports) => {
  const diff = diffPlans(plan(all), plan([{ ...app, ports }, user, manifests, local]))
  expect(diff.resources).toEqual({ ...none, changed: ['api', 'web'] })
})

test('the settings of the project', () => {
  expect(diffPlans(plan(all), plan(all, [image], { cluster: { contexts: ['kind-*'], namespace: 'dev' } }))).toMatchObject({
    project: true,
    same: false,
  })
  expect(diffPlans(plan(all), plan(all, [image], { name: 'shop2' }))).toMatchObject({ project: true })
})
