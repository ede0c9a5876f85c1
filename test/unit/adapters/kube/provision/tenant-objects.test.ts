import { expect, test } from 'vitest'
import { newTenant, quotaObject, tenantPatch } from '../../../../../src/adapters/kube/provision/tenant-objects.js'
import type { KubeObject } from '../../../../../src/model/plan.js'
import { defaultSandbox } from '../../../../../src/model/sandbox.js'

const member = { tenant: 'bluesky', user: 'ann@aurora.org', groups: ['devs'], quota: 'small' }
const tenant = (spec: object): KubeObject => ({ apiVersion: 'x', kind: 'Tenant', metadata: { name: 'bluesky' }, spec })

test('a new tenant has the user as editor, a quota, and sandboxes', () => {
  expect(newTenant(member)).toEqual({
    apiVersion: 'tenantoperator.stakater.com/v1beta3',
    kind: 'Tenant',
    metadata: { name: 'bluesky', labels: { 'app.kubernetes.io/managed-by': 'devloop' } },
    spec: {
      quota: 'small',
      accessControl: { editors: { users: ['ann@aurora.org'], groups: ['devs'] } },
      namespaces: { sandboxes: { enabled: true } },
    },
  })
})

test.each([
  ['nothing, where the user is an editor', { accessControl: { editors: { users: ['bob', member.user], groups: ['devs'] } } }, {}],
  ['nothing, where the user is an owner', { accessControl: { owners: { users: [member.user], groups: ['devs'] } } }, {}],
  [
    'one more editor, the others stay',
    { accessControl: { editors: { users: ['bob'], groups: ['devs'] }, viewers: { users: [member.user] } } },
    { accessControl: { editors: { users: ['bob', member.user] } } },
  ],
  ['all of it, in a tenant of nobody', {}, { accessControl: { editors: { users: [member.user], groups: ['devs'] } } }],
])('what changes in a tenant that is there: %s', (_, spec, changes) => {
  const sandboxes = { namespaces: { sandboxes: { enabled: true, private: true }, withTenantPrefix: ['dev'] } }
  const patch = Object.keys(changes).length > 0 ? { spec: changes } : undefined
  expect(tenantPatch(tenant({ quota: 'large', ...spec, ...sandboxes }), member)).toEqual(patch)
})

test('sandboxes are switched on where they are not', () => {
  const spec = {
    accessControl: { owners: { users: [member.user], groups: ['devs'] } },
    namespaces: { sandboxes: { enabled: false } },
  }
  expect(tenantPatch(tenant(spec), member)).toEqual({ spec: { namespaces: { sandboxes: { enabled: true } } } })
})

test('the quota is what the sandbox says, else the usual one; with defaults for containers that say nothing', () => {
  const said = { ...defaultSandbox, quota: { 'requests.cpu': '2' }, defaults: { requests: { cpu: '50m' }, limits: {} } }
  expect(quotaObject('small', said).spec).toEqual({
    resourcequota: { hard: { 'requests.cpu': '2' } },
    limitrange: { limits: [{ type: 'Container', defaultRequest: { cpu: '50m' } }] },
  })
  expect(quotaObject('small', defaultSandbox)).toMatchObject({
    apiVersion: 'tenantoperator.stakater.com/v1beta1',
    spec: { resourcequota: { hard: { 'requests.memory': '16Gi' } }, limitrange: { limits: [{ default: { memory: '512Mi' } }] } },
  })
})
