// Whether volume claims get a class, also for users who may see no classes.
import { afterEach, expect, test } from 'vitest'
import { storageFor } from '../../../../../src/adapters/kube/deploy/storage.js'
import type { AppSpec } from '../../../../../src/model/plan.js'
import { fakeApiServer, json, type FakeApiServer } from '../fake-api-server.js'

let server: FakeApiServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const app = { name: 'db', volumes: [{ kind: 'named', volume: 'data', path: '/data' }] } as unknown as AppSpec
const refusal = { kind: 'Status', code: 403, message: 'no', reason: 'Forbidden' }
const classes = (isDefault: string): object => ({
  items: [{ metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': isDefault } } }],
})
const claim = (spec: object): object => ({ kind: 'PersistentVolumeClaim', spec })

test.each([
  ['a default among the classes', classes('true'), refusal, true],
  ['no default among them', classes('false'), refusal, false],
  ['a claim that gets one, where classes are not shown', refusal, claim({ storageClassName: 'standard' }), true],
  ['a claim that gets none', refusal, claim({}), false],
  ['nothing that may be asked', refusal, refusal, undefined],
])('%s', async (_, seen, tried, hasDefaultClass) => {
  const asked: string[] = []
  server = await fakeApiServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const answer = request.method === 'GET' ? seen : tried
    json(response, answer, answer === refusal ? 403 : 200)
  })
  expect(await storageFor(server.connection, app, new AbortController().signal)).toEqual({ hasDefaultClass })
  // nothing is made
  for (const line of asked.filter((one) => one.startsWith('POST'))) expect(line).toContain('dryRun=All')
})
