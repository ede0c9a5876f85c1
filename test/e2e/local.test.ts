// Commands on this machine: a `serve` that is started again for each change of what it watches.
import { expect, test } from 'vitest'
import { answers } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'
import { waitFor } from '../support/wait-for.js'
import { wordApp } from '../support/word-app.js'

const listening = (word: string, port: number): string =>
  `require('node:http').createServer((_, response) => response.end('${word}')).listen(${port}, '127.0.0.1')`

test('a serve is started again by a save, and its end is no error; one that does not listen holds nothing up', async () => {
  const [words, port] = [await wordApp(), await freePort()]
  await words.save('tool/serve.cjs', listening('first', port))
  const parts = {
    imports: "import { local } from 'devloop'",
    resources: `local('tool', { serve: ['node', 'tool/serve.cjs'], watch: 'tool/**', port: ${port} }),`,
  }
  await words.save('Devloopfile.ts', words.devloopfile(parts))
  const watching = await words.watch()
  await watching.ready()
  const url = `http://127.0.0.1:${port}`
  await answers(url, 'first')
  await words.save('tool/serve.cjs', listening('second', port))
  await waitFor(() => watching.changes().at(-1)?.outcome === 'live', { what: 'the change to be live' })
  // it is called live when it is
  expect(await (await fetch(url)).text()).toBe('second')
  await watching.ready()
  await words.save('tool/serve.cjs', 'setInterval(() => {}, 1000)')
  await watching.until('tool', (view) => view.activity === 'starting' && !view.ready)
  expect(watching.session()?.ready).toBe(false)
  await words.save('tool/serve.cjs', listening('third', port))
  await answers(url, 'third')
  await watching.ready()
  expect(watching.output()).not.toContain('ended by itself')

  await words.save('tool/serve.cjs', 'process.exit(3)')
  const failed = await watching.until('tool', (view) => view.status === 'failed')
  expect(failed.error).toMatchObject({ code: 'local/failed', message: expect.stringContaining('ended by itself (exit code 3)') })
  await words.save('tool/serve.cjs', listening('fourth', port))
  await answers(url, 'fourth')
  await waitFor(() => watching.resource('tool')?.ready === true && watching.resource('tool')?.error === undefined, {
    what: 'the error to be gone',
  })
})
