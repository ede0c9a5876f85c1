// The example Devloopfile as a newcomer meets it: on the process runtime, from the command line.
import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { answers, homes, project, repository, watch } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'
import { family, gone } from '../support/processes.js'

test('the demo is served, a save changes what is served, and Ctrl-C leaves nothing behind', async () => {
  const [folder, env, port] = [await project({}), await homes(), await freePort()]
  const file = 'Devloopfile.example.ts'
  await cp(join(repository, 'examples'), join(folder, 'examples'), { recursive: true })
  const tour = await readFile(join(repository, file), 'utf8')
  expect(tour).toContain('forward: { http: 8090 }')
  await writeFile(join(folder, file), tour.replace('http: 8090', `http: ${port}`))
  const url = `http://127.0.0.1:${port}`

  const watching = await watch(['--runtime', 'process', '--file', file], { cwd: folder, env, file })
  await watching.ready()
  await answers(url, /<h1 id="greeting">/)
  const first = JSON.parse(await answers(`${url}/greeting?name=you`, /greeting/)) as { greeting: string; pid: number }
  expect(first.greeting).toBe('Hello, you!')

  // a signal: the process goes on with another configuration
  await writeFile(join(folder, 'examples/api/config.json'), '{ "shout": true }')
  const loud = JSON.parse(await answers(`${url}/greeting?name=you`, /HELLO, YOU!/)) as typeof first
  expect(loud.pid).toBe(first.pid)
  await writeFile(join(folder, 'examples/api/config.json'), '{ "shout": false }')
  await answers(`${url}/greeting?name=you`, /Hello, you!/)

  // a restart of the api, which the page asks
  await writeFile(join(folder, 'examples/api/src/greeting.js'), 'export const greeting = (name) => `Good day, ${name}.`\n')
  const second = JSON.parse(await answers(`${url}/greeting?name=you`, /Good day, you\./)) as typeof first
  expect(second.pid).not.toBe(first.pid)
  // no restart: read anew for each request
  await writeFile(join(folder, 'examples/web/public/style.css'), 'body { color: teal }\n')
  await answers(`${url}/style.css`, 'body { color: teal }\n')
  // the source tree is as it was: what the apps run in is elsewhere
  expect((await readdir(folder)).sort()).toEqual([file, 'examples'])
  await watching.ready()

  const processes = family(watching.child.pid ?? 0)
  expect(processes.filter((one) => one.command === 'node src/server.js')).toHaveLength(2)
  watching.child.kill('SIGINT')
  expect(await watching.ended).toMatchObject({ code: 130, stderr: '' })
  await gone(processes)
  expect(await readdir(join(env.XDG_RUNTIME_DIR ?? '', 'devloop'))).toEqual([])
})
