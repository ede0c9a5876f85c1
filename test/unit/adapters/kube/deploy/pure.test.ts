import { describe, expect, test } from 'vitest'
import { contentHash } from '../../../../../src/adapters/kube/deploy/content-hash.js'
import { covers } from '../../../../../src/adapters/kube/deploy/covers.js'
import { didYouMean } from '../../../../../src/adapters/kube/deploy/did-you-mean.js'
import { literally } from '../../../../../src/adapters/kube/deploy/expansion.js'
import { inParallel } from '../../../../../src/adapters/kube/deploy/in-parallel.js'
import { mainCommand } from '../../../../../src/adapters/kube/deploy/main-command.js'
import { portVariables } from '../../../../../src/adapters/kube/deploy/port-variables.js'
import { randomValue } from '../../../../../src/adapters/kube/deploy/random-value.js'
import { byRank } from '../../../../../src/adapters/kube/deploy/ranks.js'
import { aRecord } from './fixtures.js'

describe('covers', () => {
  test.each([
    [{ a: 1, extra: true }, { a: 1 }, true],
    [{ a: 1 }, { a: 2 }, false],
    [{ a: { b: [{ name: 'x', added: 1 }] } }, { a: { b: [{ name: 'x' }] } }, true],
    [{ a: [1, 2] }, { a: [1] }, false],
    [{ a: [1] }, { a: [1, 2] }, false],
    [{}, { a: {} }, true],
    [{}, { a: [] }, true],
    [{}, { a: null }, true],
    [{}, { a: '' }, false],
    [{ a: '1' }, { a: 1 }, false],
    [{ a: [] }, { a: {} }, false],
    [undefined, { a: 1 }, false],
  ])('%j covers %j: %s', (live, wanted, expected) => {
    expect(covers(live, wanted)).toBe(expected)
  })
})

describe('contentHash', () => {
  test('does not depend on the order of keys, but on that of lists', () => {
    expect(contentHash({ a: 1, b: { c: [1, 2], d: undefined } })).toBe(contentHash({ b: { c: [1, 2] }, a: 1 }))
    expect(contentHash([1, 2])).not.toBe(contentHash([2, 1]))
    expect(contentHash({ a: 1 })).toMatch(/^[0-9a-f]{16}$/)
  })
})

describe('didYouMean', () => {
  test.each([
    ['Deploymnt', ['Deployment', 'DaemonSet'], ' Did you mean Deployment?'],
    ['shop/apy', ['shop/web', 'shop/api'], ' Did you mean shop/api?'],
    ['x', ['entirely-other'], ''],
    ['a', [], ''],
  ])('%s of %j', (name, candidates, expected) => {
    expect(didYouMean(name, candidates)).toBe(expected)
  })
})

describe('literally', () => {
  // what Kubernetes makes of a text in which no name is known
  const expand = (text: string): string => text.replace(/\$\$|\$\(([^)]*)\)/g, (found) => (found === '$$' ? '$' : 'REPLACED'))
  test.each(['plain', '$HOME', '$(HOME)', 'a$$b', '$$(X)', 'a$$$b', '$', '$$', '${X}'])('%s comes out as it is', (text) => {
    expect(expand(literally(text))).toBe(text)
  })
})

describe('mainCommand', () => {
  const { config } = aRecord({}, { entrypoint: ['tini', '--'], cmd: ['node', '$(X)'] })
  test.each([
    [{}, ['tini', '--', 'node', '$$(X)']],
    [{ command: ['sh'] }, ['sh']],
    [{ command: ['sh'], args: ['-c', 'echo $(Y)'] }, ['sh', '-c', 'echo $(Y)']],
    [{ args: ['other'] }, ['tini', '--', 'other']],
    [{ command: [], args: [] }, ['tini', '--', 'node', '$$(X)']],
  ])('%j', (container, expected) => {
    expect(mainCommand(container, config)).toEqual(expected)
  })
})

describe('portVariables', () => {
  test('the first is PORT, each has one with its name', () => {
    expect(portVariables({ http: 8080, 'debug-1': 9229 })).toEqual({ PORT: '8080', PORT_HTTP: '8080', PORT_DEBUG_1: '9229' })
    expect(portVariables({})).toEqual({})
  })
})

describe('randomValue', () => {
  test('32 letters and digits, never twice the same, every one of them used', () => {
    const values = Array.from({ length: 200 }, randomValue)
    for (const value of values) expect(value).toMatch(/^[A-Za-z0-9]{32}$/)
    expect(new Set(values).size).toBe(200)
    expect(new Set(values.join('')).size).toBe(62)
  })
})

describe('byRank', () => {
  test('what others stand on first, custom objects before workloads, the order kept within a rank', () => {
    const kinds = [
      'Deployment',
      'Widget',
      'Service',
      'HorizontalPodAutoscaler',
      'CustomResourceDefinition',
      'Secret',
      'Namespace',
      'Job',
    ]
    expect(byRank(kinds, (kind) => ({ kind }))).toEqual([
      ['Namespace'],
      ['CustomResourceDefinition'],
      ['Service', 'Secret'],
      ['Widget'],
      ['Deployment', 'Job'],
      ['HorizontalPodAutoscaler'],
    ])
  })
})

describe('inParallel', () => {
  test('six at a time, results in order', async () => {
    let running = 0
    let most = 0
    const results = await inParallel([...Array(20).keys()], async (item) => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      return item * 2
    })
    expect(most).toBe(6)
    expect(results).toEqual([...Array(20).keys()].map((item) => item * 2))
  })

  test('all are tried, then the error of the first that failed is thrown', async () => {
    const tried: number[] = []
    const work = inParallel([0, 1, 2, 3], async (item) => {
      tried.push(item)
      await new Promise((resolve) => setImmediate(resolve))
      if (item > 0) throw new Error(`item ${item}`)
    })
    await expect(work).rejects.toThrow('item 1')
    expect(tried).toEqual([0, 1, 2, 3])
  })
})
