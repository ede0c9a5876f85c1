import { expect, test } from 'vitest'
import { fittingDefaults, isReservedNamespace, ownNamespace, userSlug } from '../../../src/model/sandbox.js'
import { amountOf } from '../../../src/model/quantity.js'

test('a user name that is a label stays as it is, any other gets a hash of itself', () => {
  expect(userSlug('ann')).toBe('ann')
  expect(userSlug('ann-2')).toBe('ann-2')
  expect(userSlug('ann@aurora.org')).toMatch(/^ann-aurora-org-[0-9a-f]{6}$/)
  expect(userSlug('system:serviceaccount:ci:bot')).toMatch(/^system-serviceaccount-ci-bot-[0-9a-f]{6}$/)
  expect(userSlug('Ünï')).toMatch(/^n-[0-9a-f]{6}$/)
  expect(userSlug('数据')).toMatch(/^[0-9a-f]{6}$/)
})

test('names that would fall together stay apart, long ones too', () => {
  const users = [
    'ann@aurora.org',
    'ann-aurora-org',
    'Ann@aurora.org',
    'ann.aurora.org',
    `${'a'.repeat(80)}1`,
    `${'a'.repeat(80)}2`,
  ]
  const names = users.map((user) => ownNamespace(user, 'shop'))
  expect(new Set(names).size).toBe(users.length)
  for (const name of names) expect(name).toMatch(/^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
  expect(ownNamespace('ann', 'shop')).toBe('shop-ann')
  expect(ownNamespace('ann')).toBe('dev-ann')
})

test("the cluster's own namespaces are reserved", () => {
  const names = ['default', 'kube-system', 'openshift', 'openshift-monitoring', 'defaults', 'kubernetes', 'openshifts', 'dev-ann']
  expect(names.filter(isReservedNamespace)).toEqual(['default', 'kube-system', 'openshift', 'openshift-monitoring'])
})

test('what a quota counts has a default that fits into it', () => {
  expect(fittingDefaults({}, {})).toEqual({ requests: {}, limits: {} })
  expect(fittingDefaults({ pods: '3' }, {})).toEqual({ requests: {}, limits: {} })
  expect(fittingDefaults({ 'requests.cpu': '4', 'requests.memory': '8Gi', 'limits.memory': '8Gi' }, {})).toEqual({
    requests: { cpu: '100m', memory: '128Mi' },
    limits: { memory: '512Mi' },
  })
  expect(fittingDefaults({ cpu: '50m', 'limits.cpu': '0.5', 'requests.memory': '1G', 'limits.memory': '64Mi' }, {})).toEqual({
    requests: { cpu: '50m', memory: '64Mi' },
    limits: { cpu: '0.5', memory: '64Mi' },
  })
})

test('what is said of defaults is taken as it is', () => {
  const quota = { 'requests.memory': '8Gi', 'limits.memory': '8Gi' }
  expect(fittingDefaults(quota, { limits: { memory: '1Gi', 'ephemeral-storage': '2Gi' } })).toEqual({
    requests: { memory: '128Mi' },
    limits: { memory: '1Gi', 'ephemeral-storage': '2Gi' },
  })
  expect(fittingDefaults({}, { requests: { cpu: '1' } })).toEqual({ requests: { cpu: '1' }, limits: {} })
})

test('amounts compare as numbers', () => {
  expect(['100m', '0.1', '1k', '1Ki', '2Gi'].map(amountOf)).toEqual([0.1, 0.1, 1000, 1024, 2 ** 31])
})
