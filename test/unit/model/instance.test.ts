import { expect, test } from 'vitest'
import { instanceId } from '../../../src/model/instance.js'

const one = { devloopfile: '/home/a/shop/Devloopfile.ts', user: 'a', machine: 'm' }

test('the same for the same, another for another worktree, user or machine', () => {
  const others = [
    one,
    { ...one, devloopfile: '/home/a/shop-2/Devloopfile.ts' },
    { ...one, user: 'b' },
    { ...one, machine: 'n' },
    { devloopfile: one.devloopfile, user: 'a' },
  ]
  expect(instanceId({ ...one })).toBe(instanceId(one))
  expect(new Set(others.map(instanceId)).size).toBe(others.length)
})

test('a DNS label', () => {
  expect(instanceId(one)).toMatch(/^[a-z][a-z0-9]{10}$/)
})
