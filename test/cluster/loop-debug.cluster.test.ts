// An app under its debugger in a real pod: the port that leads there stays, processes and pods come and go.
import { expect, test } from 'vitest'
import { waitFor } from '../support/cluster.js'
import { freePort } from '../support/free-port.js'
import { devloopfile, loop } from '../support/loop.js'

test('a debugger attaches at a port that stays, over restarts in place and new pods; each new process is told', async () => {
  const local = await freePort()
  const one = await loop({ devloopfile: devloopfile(`debug: { language: 'node', local: ${local} }`) })
  const watching = await one.begin()
  // the inspector names each process anew
  const attached = (other: string): Promise<string> =>
    waitFor(
      async () => {
        const [found] = (await (await fetch(`http://127.0.0.1:${local}/json/list`)).json()) as { id: string; title: string }[]
        return found !== undefined && found.title.includes('server.js') && found.id !== other && found.id
      },
      { what: 'the debugger to answer' },
    )
  const view = () => watching.client.get('resource', 'web')?.debug
  const [pods, before, first] = [await one.pods(), view(), await attached('')]
  expect(before).toMatchObject({ language: 'node', host: 'localhost', port: local, process: `${pods[0]?.name}:0.0` })

  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
  await watching.ready()
  const second = await attached(first)
  expect([view()?.process, await one.pods()]).toEqual([`${pods[0]?.name}:0.1`, pods])
  await waitFor(() => watching.output().includes(`was replaced: attach the debugger again at localhost:${local}`), {
    what: 'it to be told',
  })

  // a rebuild: another pod
  await one.save('app/package.json', '{"type":"module","version":"2.0.0"}')
  await attached(second)
  await watching.ready(90_000)
  const [pod] = await one.pods()
  expect(pod?.name).not.toBe(pods[0]?.name)
  expect(view()?.process).toBe(`${pod?.name}:0.0`)

  // it listens on the loopback: nobody else in the cluster reaches it
  const listening = await one.exec(pod?.name ?? '', ['cat', '/proc/net/tcp'])
  expect(listening.stdout).toMatch(/0100007F:240D 00000000:0000 0A/)
  expect(listening.stdout).not.toMatch(/00000000:240D/)
})

test('an image that lacks the debugger is one error that says how to bring it', async () => {
  const one = await loop({ devloopfile: devloopfile(`command: ['/app/server'], debug: 'go'`) })
  const watching = await one.watch()
  const error = await waitFor(
    () => {
      const found = watching.client.get('resource', 'web')?.error
      return found?.code === 'debug/missing' && found
    },
    { what: 'the error', timeoutMs: 90_000 },
  )
  expect(error).toMatchObject({
    message: 'web was not started under its debugger: there is no dlv.',
    help: expect.stringContaining('go install') as string,
  })
})
