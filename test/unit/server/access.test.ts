// Who may send what: the two tokens, and clients that ask for less.
import { WebSocket } from 'ws'
import { expect, test } from 'vitest'
import { connectDevloop } from '../../../src/client/connect.js'
import type { Requests } from '../../../src/protocol/messages.js'
import { requestParamsSchemas } from '../../../src/protocol/schema-requests.js'
import { hello, isReply, isType } from '../../support/raw-client.js'
import { resourceView } from '../../support/status-server.js'
import { request, useDaemons } from './fixtures/daemons.js'

const { open, start, client } = useDaemons()

/** Parameters that every handler takes. */
const params: { [M in keyof Requests]: Requests[M]['params'] } = {
  trigger: { resource: 'api' },
  enable: { resources: ['api'] },
  disable: { resources: ['api'] },
  args: {},
  reload: {},
  restart: { resource: 'api' },
  shutdown: {},
  exec: { resource: 'api' },
  prune: { dryRun: true },
  dump: {},
  verify: {},
  why: { path: '/a' },
}
const methods = Object.keys(requestParamsSchemas) as (keyof Requests)[]
const readable = ['verify', 'why']

test('the token for reading shows everything, and changes nothing', async () => {
  const daemon = await start()
  daemon.views.set(resourceView('api'))
  const reader = connectDevloop({ endpoint: { url: daemon.url, token: daemon.readToken } })
  open.push(reader)
  await reader.whenOpen()
  expect([reader.access, [...reader.methods].toSorted()]).toEqual(['read', readable])
  expect(reader.get('resource', 'api')).toEqual(resourceView('api'))
  const refused = await Promise.allSettled(methods.map((method) => reader.request(method, params[method])))
  for (const [index, outcome] of refused.entries()) {
    if (readable.includes(methods[index]!)) expect(outcome.status).toBe('fulfilled')
    else expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'request/read-only' } })
  }
  expect(daemon.calls).toEqual(['verify '])
  // before its parameters are looked at: they are none of its business
  await expect(reader.request('restart', { resource: '' })).rejects.toMatchObject({ code: 'request/read-only' })

  const owner = connectDevloop({ endpoint: { url: daemon.url, token: daemon.token } })
  open.push(owner)
  await owner.whenOpen()
  expect([owner.access, [...owner.methods].toSorted()]).toEqual(['control', methods.toSorted()])
})

test('a client may ask for less than it may have, and never gets more', async () => {
  const daemon = await start()
  const raw = await client(daemon)
  raw.send(hello({ access: 'read' }))
  expect(await raw.take(isType('welcome'))).toMatchObject({
    access: 'read',
    methods: expect.arrayContaining(readable) as string[],
  })
  raw.send(request(1, 'reload'))
  expect(await raw.take(isReply)).toMatchObject({ id: 1, error: { code: 1, data: { code: 'request/read-only' } } })
  expect(daemon.calls).toEqual([])

  const more = await client(daemon)
  more.send({ ...hello(), access: 'control' })
  expect((await more.closed).code).toBe(4400)
})

test('the token for reading is as good as the other at the door, and both together are none', async () => {
  const daemon = await start()
  const status = (...tokens: string[]): Promise<string> =>
    new Promise((resolve) => {
      const ws = new WebSocket(`${daemon.url.replace('http', 'ws')}/v1/stream`, [
        'devloop.v1',
        ...tokens.map((token) => `devloop.token.${token}`),
      ])
      ws.on('open', () => {
        ws.terminate()
        resolve('open')
      })
      ws.on('error', (error) => resolve(error.message))
    })
  expect(await status(daemon.readToken)).toBe('open')
  expect(await status(daemon.token, daemon.readToken)).toContain('401')
  expect(await status(`${daemon.readToken}x`)).toContain('401')
})
