import { expect, test } from 'vitest'
import { imageInputs } from '../../../src/model/keys.js'
import type { ImageSpec } from '../../../src/model/plan.js'
import { imageSpec } from '../../support/states.js'

const inputs = (over: Partial<ImageSpec> = {}, dockerfile = 'FROM node'): string =>
  imageInputs(imageSpec('api', over), dockerfile)

test('whatever goes into an image changes its inputs, and nothing else does', () => {
  const different = [
    inputs(),
    inputs({}, 'FROM node:20'),
    inputs({ args: { A: '1' } }),
    inputs({ args: { A: '2' } }),
    inputs({ baseArgs: { A: '1' } }),
    inputs({ target: 'dev' }),
    inputs({ options: { labels: { a: '1' } } }),
    inputs({ options: { platform: 'linux/arm64' } }),
    inputs({ options: { secrets: { a: { env: 'A' } } } }),
    inputs({ options: { secrets: { a: { file: '/A' } } } }),
    inputs({ options: { tags: ['a', 'b'] } }),
    inputs({ options: { tags: ['b', 'a'] } }),
    inputs({ build: { command: 'make', cwd: '/', env: {} } }),
    inputs({ build: { command: ['make'], cwd: '/', env: {} } }),
  ]
  expect(new Set(different).size).toBe(different.length)
  expect(inputs({ live: [], at: { file: '/other', line: 9 }, context: '/elsewhere' })).toBe(inputs())
})

test('the order in which names are said does not count', () => {
  const options = { labels: { a: '1', b: '2' }, extraHosts: { x: '::1', y: '::2' } }
  const turned = { extraHosts: { y: '::2', x: '::1' }, labels: { b: '2', a: '1' } }
  expect(inputs({ args: { A: '1', B: '2' }, options })).toBe(inputs({ args: { B: '2', A: '1' }, options: turned }))
})

test('what a secret holds counts for nothing', () => {
  const secrets = { token: { env: 'DEVLOOP_TEST_SECRET' } }
  process.env['DEVLOOP_TEST_SECRET'] = 'one'
  const before = inputs({ options: { secrets } })
  process.env['DEVLOOP_TEST_SECRET'] = 'two'
  expect(inputs({ options: { secrets } })).toBe(before)
  delete process.env['DEVLOOP_TEST_SECRET']
})
