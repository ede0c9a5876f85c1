import { afterEach, expect, test } from 'vitest'
import { missingRights, waitForRights, type Right } from '../../../../../src/adapters/kube/rights/access.js'
import { fakeApiServer, json, type FakeApiServer } from '../fake-api-server.js'

let server: FakeApiServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const signal = new AbortController().signal

/** A server that grants what `allows` says, and counts how many reviews are under way at most. */
async function reviewing(allows: (asked: string, count: number) => boolean): Promise<{ most: () => number; asked: string[] }> {
  let open = 0
  let most = 0
  const asked: string[] = []
  server = await fakeApiServer((request, response) => {
    most = Math.max(most, ++open)
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { spec } = JSON.parse(body) as { spec: { resourceAttributes: Record<string, string> } }
      const { verb, group, resource, subresource, namespace } = spec.resourceAttributes
      const name = `${namespace}: ${verb} ${group ? `${group}/` : ''}${resource}${subresource ? `/${subresource}` : ''}`
      asked.push(name)
      setTimeout(() => {
        open--
        json(response, { status: { allowed: allows(name, asked.length) } })
      }, 5)
    })
  })
  return { most: () => most, asked }
}

const verbs = (resource: string, ...all: string[]): Right[] => all.map((verb) => ({ verb, resource }))

test('names exactly the rights that are refused, asks for few at a time and for each once', async () => {
  const { most, asked } = await reviewing((name) => name !== 'dev: create pods/exec')
  const { connection } = server as FakeApiServer
  const rights = [
    ...verbs('pods/exec', 'get', 'create'),
    ...verbs('pods', 'list', 'watch'),
    ...verbs('secrets', 'get', 'create', 'patch'),
  ]
  expect(await missingRights(connection, 'dev', [...rights, ...rights.slice(2)], signal)).toEqual([
    { verb: 'create', resource: 'pods/exec' },
  ])
  expect(asked).toHaveLength(rights.length)
  expect(most()).toBeLessThanOrEqual(4)
  // what was granted is believed, what was refused is asked for again
  expect(await missingRights(connection, 'dev', rights, signal)).toHaveLength(1)
  expect(asked.slice(rights.length)).toEqual(['dev: create pods/exec'])
  // another namespace is another question
  await missingRights(connection, 'other', verbs('pods', 'list'), signal)
  expect(asked.at(-1)).toBe('other: list pods')
})

test('waits for rights that come late, and no longer than it may', async () => {
  const { asked } = await reviewing((_, count) => count > 3)
  const { connection } = server as FakeApiServer
  expect(await waitForRights(connection, 'dev', verbs('pods', 'list'), signal, 20_000)).toEqual([])
  expect(asked).toHaveLength(4)
})

test('what does not come is told after the limit', async () => {
  await reviewing(() => false)
  const { connection } = server as FakeApiServer
  expect(await waitForRights(connection, 'dev', verbs('pods', 'list'), signal, 10)).toEqual(verbs('pods', 'list'))
  const abort = new AbortController()
  const waiting = waitForRights(connection, 'dev', verbs('pods', 'list'), abort.signal, 60_000)
  abort.abort()
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
})
