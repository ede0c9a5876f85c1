// The example of a Compose file without a cluster.
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { answers, homes, project, put, repository, watch } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'
import { waitFor } from '../support/wait-for.js'

test('services run as processes that reach each other: synced, restarted, rebuilt, removed with the file', async () => {
  const port = await freePort()
  const folder = await project({})
  await cp(join(repository, 'examples/compose'), folder, { recursive: true })
  const watching = await watch(['--runtime', 'process'], { cwd: folder, env: { ...(await homes()), WEB_PORT: String(port) } })
  await watching.ready()
  const url = `http://127.0.0.1:${port}`
  // the greeter has no secret here, and that is told
  await answers(url, 'Greeting: hi world, made with Compose, devloop-example-compose-web')
  expect(watching.resource('greeter')?.warnings).toMatchObject([{ code: 'app/volume' }])
  expect(watching.resource('check')).toMatchObject({ ready: true, pods: [{ phase: 'succeeded' }] })
  const pods = () => ['web', 'greeter'].map((name) => watching.resource(name)?.pods.map((pod) => pod.name))
  const before = pods()

  await put(join(folder, 'web/public/footer.txt'), 'synced')
  await answers(url, /, synced, /)
  await put(join(folder, 'web/src/heading.js'), "export const heading = 'Restarted'")
  await answers(url, /^Restarted: /)
  await put(join(folder, 'greeter/src/greet.js'), "export const greet = () => 'mounted'")
  await answers(url, /: mounted, /)
  expect(pods()).toEqual(before)
  const manifest = join(folder, 'web/package.json')
  await put(manifest, (await readFile(manifest, 'utf8')).replace('compose-web', 'compose-rebuilt'))
  await answers(url, /devloop-example-compose-rebuilt$/)

  // a bad edit keeps what runs; one that takes a service away removes that
  const file = join(folder, 'compose.yaml')
  const good = await readFile(file, 'utf8')
  await put(file, good.replace('  greeter:\n    build', '  greeter:\n    privileged: true\n    build'))
  await waitFor(() => watching.session()?.devloopfile.error?.code === 'compose/unsupported', { what: 'the error to be told' })
  expect(watching.session()?.devloopfile.error).toMatchObject({ where: { file, line: 24 } })
  await answers(url, /: mounted, /)
  await put(file, good.replace(/ {6}check: \{.*\n/, '').replace(/\n {2}check:[\s\S]*?\n\n/, '\n'))
  await put(join(folder, 'Devloopfile.ts'), (await readFile(join(folder, 'Devloopfile.ts'), 'utf8')).replace(', check: true', ''))
  await waitFor(() => watching.resource('check') === undefined && watching.session()?.ready === true, {
    what: 'the service to go',
  })
  await answers(url, /: mounted, /)
})
