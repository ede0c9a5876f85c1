// What building needs is not there, or refuses: one clear error, everything else goes on, and it heals.
import { expect, test } from 'vitest'
import { comingEngine, errorsOf, refusingRegistry, toldError, withBystanders } from '../support/failures.js'
import { project } from '../support/devloop.js'
import { loop } from '../support/loop.js'

test('no Docker engine, until there is one; and again while all runs', async () => {
  const engine = comingEngine(await project({}))
  const masks = { [engine.address]: 'ENGINE', [engine.address.replace('unix://', '')]: 'ENGINE' }
  const one = await loop({ devloopfile: withBystanders(), env: { DOCKER_HOST: engine.address } })
  const watching = await one.watch()
  expect(await toldError(watching, 'engine/unreachable', masks)).toMatchInlineSnapshot(`
    "engine/unreachable
    The Docker engine at ENGINE (from DOCKER_HOST) does not answer.
    connect ENOENT ENGINE
    -> Start Docker, or set DOCKER_HOST to the engine to use."
  `)
  await watching.until('other', (view) => view.ready)
  expect(watching.resource('here')?.ready).toBe(true)
  expect(watching.resource('web')).toMatchObject({ status: 'failed', hold: { code: 'failed' } })

  await engine.appear()
  await watching.ready()
  expect(errorsOf(watching)).toEqual([])
  await one.answers('one')

  await engine.vanish()
  const [pod] = await one.pods()
  // what needs no build goes on
  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
  await one.save('app/package.json', '{"type":"module","version":"2.0.0"}')
  await toldError(watching, 'engine/unreachable')
  expect(errorsOf(watching)).toHaveLength(1)
  await one.answers('two')
  expect((await one.pods()).map(({ uid }) => uid)).toEqual([pod?.uid])
  await engine.appear()
  await watching.ready()
  expect(errorsOf(watching)).toEqual([])
  await one.answers('two')
  expect((await one.pods()).map(({ uid }) => uid)).not.toContain(pod?.uid)
})

/** A project whose registry refuses, until the Devloopfile names the one that the cluster announces. @returns the error, and all that was printed */
async function refused(refuses: 401 | 403 | 'layers', code: string): Promise<{ error: string; output: string }> {
  const registry = await refusingRegistry(refuses)
  const one = await loop({ devloopfile: withBystanders({ cluster: `registry: '${registry}'` }) })
  const watching = await one.watch()
  const error = await toldError(watching, code, { [registry]: 'REGISTRY', [one.name]: 'PROJECT' })
  await watching.until('other', (view) => view.ready)
  await one.save('Devloopfile.ts', withBystanders()(one))
  await watching.ready()
  expect(errorsOf(watching)).toEqual([])
  await one.answers('one')
  return { error: error.replaceAll(/:devloop-\w+/g, ':TAG'), output: watching.output() }
}

test('a registry that asks for credentials', async () => {
  const { error, output } = await refused(401, 'registry/auth')
  expect(error).toMatchInlineSnapshot(`
    "registry/auth
    The registry REGISTRY wants a login to push REGISTRY/PROJECT_web.
    401: UNAUTHORIZED: authentication required
    -> Log in with \`docker login REGISTRY\`."
  `)
  // seen before the engine was asked for anything
  expect(output).not.toContain('[push]')
})

test('a registry that may not be pushed to', async () => {
  const { error, output } = await refused(403, 'registry/denied')
  expect(error).toMatchInlineSnapshot(`
    "registry/denied
    The registry REGISTRY does not let everybody push REGISTRY/PROJECT_web.
    403: DENIED: requested access to the resource is denied
    -> Log in with \`docker login REGISTRY\`, and check your rights there."
  `)
  expect(output).not.toContain('the engine tries again for a while')
})

test('a registry that refuses what is pushed', async () => {
  const { error, output } = await refused('layers', 'registry/denied')
  expect(output).toContain('did not take a layer; the engine tries again for a while')
  expect(error).toMatchInlineSnapshot(`
    "registry/denied
    The registry REGISTRY does not let everybody push REGISTRY/PROJECT_web.
    403: DENIED: requested access to the resource is denied
    -> Log in with \`docker login REGISTRY\`, and check your rights there."
  `)
})
