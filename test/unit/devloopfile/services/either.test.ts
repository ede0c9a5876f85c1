// Resources that can be made in two ways: which one is taken, and what addresses lead to.
import { expect, test } from 'vitest'
import { linksOf } from '../../../../src/model/link.js'
import { appsOf, specKey } from '../../../../src/model/keys.js'
import type { AppSpec, Choices, Plan } from '../../../../src/model/plan.js'
import { noChoice } from '../../../../src/store/selectors.js'
import { project } from '../project.js'

const devloopfile = (body: string, resources: string): string =>
  `import { app, config, defineDevloop, either, helm, image, local } from 'devloop'
export default defineDevloop(() => {
${body}
  return { name: 'shop', resources: [${resources}] }
})
`
const made = (body: string, resources: string) =>
  project({ 'api/Dockerfile': 'FROM scratch\n', 'Devloopfile.ts': devloopfile(body, resources) })

const twoWays = `  const api = either('api', {
    local: () => app('api', { image: image('shop/api', { context: 'api' }), port: 8080 }),
    remote: () => app('api', { image: 'registry.example.com/api:1', port: 8080 }),
  })
  const search = either('search', {
    default: 'local',
    local: () => app('search', { image: 'x', port: 80 }),
    remote: () => helm('search', { chart: 'search', repo: 'https://charts.example.com', address: 'search:80' }),
  })
  const web = app('web', { image: 'x', env: { API: api.address, SEARCH: search.address, HOST: search.host } })`

const specKeyOf = (plan: Plan, name: string): string => specKey(plan, plan.resources[name] as AppSpec)

test('the one that is asked for, else the preferred one; who uses the address is the same either way', async () => {
  const one = made(twoWays, 'web')
  const load = (choices: Choices = {}): Promise<Plan> => one.plan({ choices })
  const usual = await load()
  expect(usual.choices).toEqual({ api: 'remote', search: 'local' })
  expect(usual.resources.api).toMatchObject({ kind: 'app', image: { ref: 'registry.example.com/api:1' } })
  expect(Object.keys(usual.images)).toEqual([])

  const other = await load({ api: 'local', search: 'remote' })
  expect(other.choices).toEqual({ api: 'local', search: 'remote' })
  expect(other.resources.api).toMatchObject({ kind: 'app', image: { built: 'shop/api' } })
  expect(other.resources.search).toMatchObject({ kind: 'helm', address: { host: 'search', port: 80 } })
  expect(linksOf(other, 'web')).toEqual([
    { to: 'api', portName: 'main', host: 'api', port: 8080 },
    { to: 'search', portName: 'main', host: 'search', port: 80 },
  ])
  expect(linksOf(other, 'web')).toEqual(linksOf(usual, 'web'))
  expect(appsOf(other).search).toEqual({ name: 'search', ports: { main: 80 } })
  // nothing of it is deployed again
  expect(specKeyOf(other, 'web')).toBe(specKeyOf(usual, 'web'))
})

test('links of what an app is told by a ConfigMap', async () => {
  const plan = await made(
    `  const api = app('api', { image: 'x', port: 80 })
  const settings = config('settings', { values: { API: api.address } })
  const web = app('web', { image: 'x', envFrom: [settings] })`,
    'web',
  ).plan()
  expect(linksOf(plan, 'web').map(({ to }) => to)).toEqual(['api'])
  expect(linksOf(plan, 'api')).toEqual([])
})

test('a name that is none is told, with the one that was meant', async () => {
  const plan = await made(twoWays, 'web').plan({ choices: { apo: 'local' } })
  expect(noChoice(plan, { api: 'local' })).toBeUndefined()
  expect(noChoice(plan, { apo: 'local' })).toMatchObject({
    code: 'request/unknown-resource',
    message: 'there is no resource "apo" to choose a way for',
    why: "Did you mean 'api'?",
  })
  expect(noChoice(plan, { web: 'local' })).toMatchObject({
    message: 'web can be made in one way only',
    why: 'The Devloopfile does not make it by `either`.',
  })
  expect(noChoice(await made('', '').plan(), { api: 'local' })?.why).toBe('The Devloopfile has no `either`.')
})

test.each([
  ['{ local: () => a }', '`remote` must be a function', 'remote: () =>'],
  ['{ local: () => a, remote: () => a, defualt: 1 }', 'there is no option `defualt`', 'Options: local, remote and default.'],
  ["{ local: () => a, remote: () => a, default: 'both' }", "`default` must be 'local' or 'remote'", ''],
  ['{ local: () => a, remote: () => undefined }', '`remote` gave no resource', 'Return what app'],
  ["{ local: () => a, remote: () => app('b', { image: 'x' }) }", "`remote` gave app 'b', which has another name", "Name it 'a'"],
])('what can be wrong: %s', async (options, message, help) => {
  const text = await made(`  const a = app('a', { image: 'x' }), b = either('a', ${options} as any)`, 'b').errors()
  expect(text).toMatch(/^devloopfile\/invalid at Devloopfile\.ts:3:43\n/)
  expect(text).toContain(`either 'a': ${message}`.replace('either', 'Either').replace('Either', 'either'))
  expect(text).toContain(help)
})

test.each(['redis', 'redis:0', 'redis:70000', 'Redis:80', 'http://redis:80'])('%s is no address of a chart', async (address) => {
  const text = await made(`  const a = helm('a', { chart: 'a', repo: 'https://x', address: '${address}' })`, 'a').errors()
  expect(text).toContain("helm 'a': `address` must be a Service and its port, such as 'redis-master:6379'")
})

test('a chart that does not say where it answers has no address', async () => {
  const text = await made(
    `  const a = helm('a', { chart: 'a', repo: 'https://x' }) as any, b = app('b', { image: 'x', env: { A: a.address } })`,
    'b',
  ).errors()
  expect(text).toContain('`env.A` must be a string, number, boolean or text')
})
