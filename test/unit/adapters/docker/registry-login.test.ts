import { expect, test } from 'vitest'
import { isFull, parseChallenges, wordsOf } from '../../../../src/adapters/docker/registry-login.js'

test.each([
  ['Basic realm="test"', [{ scheme: 'basic', params: { realm: 'test' } }]],
  [
    'Bearer realm="https://auth.io/token",service="reg.io",scope="repository:a/b:pull,push"',
    [{ scheme: 'bearer', params: { realm: 'https://auth.io/token', service: 'reg.io', scope: 'repository:a/b:pull,push' } }],
  ],
  [
    'Negotiate, bearer Realm="https://a, b", error=invalid_token, BASIC realm="x \\"y\\""',
    [
      { scheme: 'bearer', params: { realm: 'https://a, b', error: 'invalid_token' } },
      { scheme: 'basic', params: { realm: 'x "y"' } },
    ],
  ],
  [undefined, []],
  ['nonsense', []],
])('the challenges of %s', (header, expected) => {
  expect(parseChallenges(header)).toEqual(expected)
})

const answer = (status: number, content: unknown) => ({
  status,
  headers: {},
  text: typeof content === 'string' ? content : JSON.stringify(content),
})

test.each([
  [answer(403, { errors: [{ code: 'DENIED', message: 'no', detail: null }] }), '403: DENIED: no'],
  [
    answer(500, { errors: [{ code: 'UNKNOWN', message: 'unknown error', detail: { Enclosed: { Op: 'write', Err: 28 } } }] }),
    '500: UNKNOWN: unknown error (no space left on device)',
  ],
  [answer(401, { details: 'incorrect username or password' }), '401: incorrect username or password'],
  [answer(400, { error: 'invalid_grant', error_description: 'expired' }), '400: expired'],
  [answer(502, 'Bad Gateway\n<html>'), '502: Bad Gateway'],
  [answer(500, ''), 'status 500'],
])('the words of %j', (given, expected) => {
  expect(wordsOf(given)).toBe(expected)
})

test('a full disk is seen in any form', () => {
  expect(isFull(answer(500, { errors: [{ detail: { Enclosed: { Err: 28 } } }] }))).toBe(true)
  expect(isFull(answer(500, { errors: [{ detail: 'write x: no space left on device' }] }))).toBe(true)
  expect(isFull(answer(507, ''))).toBe(true)
  expect(isFull(answer(403, { errors: [{ message: 'configured quota exceeded' }] }))).toBe(true)
  expect(isFull(answer(500, { errors: [{ detail: { Enclosed: { Err: 2 } } }] }))).toBe(false)
})
