// An image that is made without the engine, on the real engine and registry. DEVLOOP_TEST_REGISTRY names the registry.
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { createEngineConnector, type Engine } from '../../src/adapters/docker/engine.js'
import { followRequest } from '../../src/adapters/docker/engine-stream.js'
import { createDockerBuilder } from '../../src/adapters/docker/image-builder.js'
import { imageLabel, instanceLabel } from '../../src/model/image-labels.js'
import type { MadeImage } from '../../src/model/made-image.js'
import { makeProgramImage, type ProgramImage } from '../../src/model/program-image.js'
import { randomSuffix, testRegistry } from '../support/cluster.js'

const never = new AbortController().signal
let engine: Engine
let host: string

beforeAll(async () => {
  engine = await createEngineConnector(process.env)(never)
  host = await testRegistry()
})

/** One that nobody else has; what is left of it in the engine goes with the test. */
function anImage(): ProgramImage & { instance: string } {
  const suffix = randomSuffix()
  const [name, instance] = [`devloop-test/program-${suffix}`, `test-${suffix}`]
  const image = makeProgramImage({
    name,
    version: suffix,
    platform: engine.info.platform,
    program: Buffer.from(`#!/nothing ${suffix}\n`),
    file: 'agent',
    user: 65532,
    labels: { [imageLabel]: name, [instanceLabel]: instance },
  })
  onTestFinished(async () => {
    const left = await engine.json<{ Id: string }[]>({
      method: 'GET',
      path: '/images/json',
      query: { filters: { label: [`${imageLabel}=${name}`] } },
    })
    for (const { Id } of left) (await engine.stream({ method: 'DELETE', path: `/images/${Id}`, query: { force: '1' } })).resume()
  })
  return { ...image, instance }
}

const provide = async (image: ProgramImage, env?: Record<string, string>, registry: string | undefined = host) => {
  const made: Omit<MadeImage, 'image' | 'cluster' | 'at'>[] = []
  const told = { made: (one: (typeof made)[number]) => Promise.resolve(void made.push(one)), log: () => {} }
  const builder = createDockerBuilder({ env: { ...process.env, ...env } })
  const names = registry === '' ? undefined : { push: registry, pull: registry }
  const ref = await builder.provide(image, names, told, never)
  return { ref, made, builder }
}

const inspect = (reference: string) =>
  engine.json<{ Id: string; Architecture: string; Config: { User: string; Entrypoint: string[] } }>({
    method: 'GET',
    path: `/images/${reference}/json`,
  })

/** The engine gets it from the registry, as nodes do. */
async function pull(reference: string): Promise<void> {
  const errors: unknown[] = []
  await followRequest(
    engine,
    { method: 'POST', path: '/images/create', query: { fromImage: reference }, body: {}, signal: never },
    (line) => line.error && errors.push(line.error),
  )
  expect(errors).toEqual([])
}

test('through the engine: loaded, pushed once, known to housekeeping, and removed by it', async () => {
  const image = anImage()
  const { ref, made, builder } = await provide(image)
  expect(ref).toMatch(new RegExp(`^${host}/devloop-test_program-\\w+:${image.tag}$`))
  expect(await inspect(ref)).toMatchObject({ Id: image.id, Config: { User: '65532:65532', Entrypoint: ['/agent'] } })
  expect(made).toHaveLength(1)
  expect((await provide(image)).made).toEqual([])
  const [labelled, ...others] = (await builder.pruner?.labelled(image.instance, never)) ?? []
  expect(others).toEqual([])
  expect(labelled).toMatchObject({ image: image.name, id: image.id, tag: image.tag, pushed: true })
  if (!labelled) return
  const found = { ...labelled, cluster: '' }
  expect(await builder.pruner?.removeFromRegistry(found, new Set(), never)).toBe('removed')
  expect(await builder.pruner?.removeFromEngine(found, never)).toBe('removed')
  // it is gone, so it is pushed again
  expect((await provide(image)).made).toHaveLength(1)
})

test('with the engine off: pushed to the registry all the same, and pulled from there', async () => {
  const image = anImage()
  const off = { DOCKER_HOST: 'tcp://127.0.0.1:1' }
  const { ref, made } = await provide(image, off)
  expect(made).toMatchObject([{ id: image.id, pushed: true }])
  await pull(ref)
  expect(await inspect(ref)).toMatchObject({ Id: image.id })
  expect((await provide(image, off)).made).toEqual([])
  expect((await provide(image)).made).toEqual([])
})

test('with no registry it stays in the engine', async () => {
  const image = anImage()
  const { ref, made } = await provide(image, {}, '')
  expect(ref).toBe(`${image.name}:${image.tag}`)
  expect(made).toMatchObject([{ id: image.id, pushed: false }])
  expect(await inspect(ref)).toMatchObject({ Id: image.id })
  expect((await provide(image, {}, '')).made).toEqual([])
})

test('a registry that does not answer is one clear error, with the engine and without', async () => {
  for (const env of [{}, { DOCKER_HOST: 'tcp://127.0.0.1:1' }] as Record<string, string>[])
    await expect(provide(anImage(), env, '127.0.0.1:1')).rejects.toMatchObject({ code: 'registry/unreachable' })
  await expect(provide(anImage(), { DOCKER_HOST: 'tcp://127.0.0.1:1' }, '')).rejects.toMatchObject({ code: 'engine/unreachable' })
})
