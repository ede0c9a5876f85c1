import { describe, expect, it } from 'vitest'
import { KubeStatusError, parseStatus, statusOf, translateKube } from '../../../../src/adapters/kube/errors.js'

const attempt = { what: 'apply deployment/api in dev', context: 'kind-dev', server: 'https://127.0.0.1:1' }
const refused = (code: number, reason: string, message: string, details?: object) =>
  translateKube(new KubeStatusError({ code, reason, message, ...(details === undefined ? {} : { details }) }), attempt)
const network = (code: string, message = 'x') => translateKube(Object.assign(new Error(message), { code }), attempt)

describe('translateKube', () => {
  it('names the right that is missing', () => {
    const text =
      'deployments.apps "api" is forbidden: User "ann" cannot patch resource "deployments" in API group "apps" in the namespace "dev"'
    expect(refused(403, 'Forbidden', text).info).toMatchObject({
      code: 'cluster/forbidden',
      message: 'You may not patch deployments.apps in namespace "dev".',
      why: text,
      help: 'Ask an administrator of context "kind-dev" for the right to patch deployments.apps in namespace "dev".',
    })
    const wide = 'nodes is forbidden: User "ann" cannot list resource "nodes" in API group "" at the cluster scope'
    expect(refused(403, 'Forbidden', wide).message).toBe('You may not list nodes in the whole cluster.')
  })

  it.each([
    [refused(401, 'Unauthorized', 'Unauthorized'), 'cluster/unauthorized', 'refused the credentials'],
    [refused(403, 'Forbidden', 'pods "x" is forbidden: exceeded quota: q'), 'cluster/denied', 'quota'],
    [refused(403, 'Forbidden', 'x', { causes: [{ reason: 'NamespaceTerminating' }] }), 'cluster/namespace', 'being deleted'],
    [refused(403, 'Forbidden', 'admission says no'), 'cluster/denied', 'apply deployment/api'],
    [
      refused(422, 'Invalid', `"api" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no`),
      'cluster/denied',
      'apply deployment/api',
    ],
    [refused(400, 'BadRequest', 'admission webhook "w.io" denied the request: no'), 'cluster/denied', 'apply deployment/api'],
    [
      refused(404, 'NotFound', 'namespaces "dev" not found', { kind: 'namespaces', name: 'dev' }),
      'cluster/namespace',
      'no namespace "dev"',
    ],
    [refused(404, 'NotFound', 'pods "x" not found', { kind: 'pods', name: 'x' }), 'cluster/error', 'HTTP 404'],
    [
      refused(409, 'Conflict', 'x', {
        causes: [{ field: '.spec.replicas', message: 'conflict with "hpa" using autoscaling/v2' }],
      }),
      'cluster/conflict',
      'owned by "hpa" (.spec.replicas)',
    ],
    [refused(409, 'AlreadyExists', 'x'), 'cluster/error', 'AlreadyExists'],
    [
      refused(422, 'Invalid', 'x', { causes: [{ field: 'spec.x', message: 'Required value' }] }),
      'cluster/invalid',
      'spec.x: Required value',
    ],
    [refused(503, '', 'busy'), 'cluster/error', 'HTTP 503'],
    [network('ECONNREFUSED'), 'cluster/unreachable', 'https://127.0.0.1:1'],
    [network('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed'), 'cluster/unreachable', 'certificate'],
    [translateKube(new Error('socket hang up'), attempt), 'cluster/unreachable', 'apply deployment/api in dev'],
    [translateKube('odd', attempt), 'cluster/unreachable', 'apply deployment/api in dev'],
  ])('%s', (error, code, part) => {
    expect(error.code).toBe(code)
    expect(error.message).toContain(part)
  })

  it('keeps what it has translated already, with the status behind it', () => {
    const first = refused(404, 'NotFound', 'gone')
    expect(translateKube(first, { ...attempt, what: 'other' })).toBe(first)
    expect(statusOf(first)).toMatchObject({ code: 404, reason: 'NotFound' })
    expect(statusOf(network('ECONNRESET'))).toBeUndefined()
    expect(
      statusOf(Object.assign(new Error('x'), { code: 409, body: '{"kind":"Status","reason":"Conflict","message":"m"}' })),
    ).toMatchObject({ code: 409, reason: 'Conflict' })
  })

  it('tells why in words', () => {
    expect(network('ECONNREFUSED').info.why).toBe('Nothing listens there (connection refused).')
    expect(network('ENOTFOUND').info.why).toBe('Its host name is not known.')
  })
})

describe('parseStatus', () => {
  it('takes a Status, plain words, and makes nothing of a page', () => {
    expect(parseStatus(500, '{"kind":"Status","message":"m","reason":"R","code":504}')).toMatchObject({
      code: 504,
      reason: 'R',
      message: 'm',
    })
    expect(parseStatus(503, ' no endpoints \n')).toEqual({ code: 503, reason: '', message: 'no endpoints' })
    expect(parseStatus(502, '<html><h1>Bad</h1></html>')).toEqual({ code: 502, reason: '', message: 'HTTP 502' })
    expect(parseStatus(500, '')).toEqual({ code: 500, reason: '', message: 'HTTP 500' })
  })
})
