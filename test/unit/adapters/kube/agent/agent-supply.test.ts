import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createAgentSupply, type AgentSupplyOptions } from '../../../../../src/adapters/kube/agent/agent-supply.js'
import { DevloopError } from '../../../../../src/errors/devloop-error.js'
import type { MadeImage } from '../../../../../src/model/made-image.js'
import type { AgentProgram } from '../../../../../src/ports/agent-program.js'
import type { ImageBuilder } from '../../../../../src/ports/image-builder.js'
import { waitFor } from '../../../../support/wait-for.js'

const program: AgentProgram = {
  version: () => Promise.resolve('0123456789abcdef'),
  read: (platform) =>
    Promise.resolve(platform === 'linux/amd64' || platform === 'linux/arm64' ? Buffer.from(platform) : undefined),
}
const registry = { push: 'localhost:5000', pull: 'registry:5000' }
type Provide = NonNullable<ImageBuilder['provide']>

async function start(over: Partial<AgentSupplyOptions> = {}, provide?: Provide, stateDir?: string) {
  const dir = stateDir ?? (await mkdtemp(join(tmpdir(), 'devloop-supply-')))
  const provided: string[] = []
  const made: MadeImage[] = []
  const log: string[] = []
  const usual: Provide = async ({ name, tag, id }, to, told) => {
    await told.made?.({ repository: `${to?.push}/${name}`, tag, id, pushed: true, engine: 'here' })
    provided.push(tag)
    return `${to?.pull}/${name}:${tag}`
  }
  const onMade = (image: MadeImage): Promise<void> => Promise.resolve(void made.push(image))
  const source = createAgentSupply({
    program,
    registry,
    platform: undefined,
    server: 'https://cluster',
    options: { instance: 'i1', stateDir: dir, onMade },
    builder: { provide: provide ?? usual },
    log: (message) => void log.push(message),
    life: new AbortController().signal,
    ...over,
  })
  return { source, provided, made, log, dir }
}

test('the image is pushed once for all who ask, and written down', async () => {
  const { source, provided, made } = await start()
  const [one, two] = await Promise.all([source('linux/amd64'), source('linux/amd64')])
  expect(one).toEqual(two)
  expect(one).toMatchObject({ version: '0123456789abcdef' })
  expect(provided).toHaveLength(1)
  expect(one).toHaveProperty('ref', `registry:5000/devloop-agent:${provided[0]}`)
  expect(made).toMatchObject([{ image: 'devloop-agent', cluster: 'https://cluster', tag: provided[0] }])
  await source('linux/arm64/v8')
  expect(provided).toHaveLength(2)
  expect(provided[1]).toMatch(/^0123456789abcdef-linux-arm64-devloop-[0-9a-f]{16}$/)
})

test('the next run does not wait for a push that was done, and looks whether it is still there', async () => {
  const first = await start()
  const answer = await first.source('linux/amd64')
  let asked = 0
  const never: Provide = () => (asked++, new Promise(() => {}))
  const next = await start({}, never, first.dir)
  expect(await next.source('linux/amd64')).toEqual(answer)
  await waitFor(() => asked === 1, { what: 'the look' })
  // of another cluster nothing is known
  const other = await start({ server: 'https://other' }, undefined, first.dir)
  await other.source('linux/amd64')
  expect(other.provided).toHaveLength(1)
})

test('a registry that refuses is a reason, not an error', async () => {
  const refuse: Provide = () => Promise.reject(new DevloopError('registry/denied', 'It does not let you.', { why: 'no right' }))
  const { source, log } = await start({}, refuse)
  const why = 'its image could not be brought to the nodes: It does not let you. (no right)'
  expect(await source('linux/amd64')).toEqual({ why })
  expect(await source('linux/amd64')).toEqual({ why })
  expect(log).toEqual([`no agent is put into pods: ${why}`])
})

test('a registry that does not end holds up nobody for long', async () => {
  const hang: Provide = (_image, _registry, _told, signal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  const { source } = await start({ patienceMs: 20 }, hang)
  expect(await source('linux/amd64')).toEqual({ why: 'its image was not pushed within 0.02 s' })
})

test('a defect stays one', async () => {
  const { source } = await start({}, () => Promise.reject(new TypeError('oops')))
  await expect(source('linux/amd64')).rejects.toThrow('oops')
})

test.each([
  ['windows/amd64', {}, 'there is no agent for windows/amd64'],
  [undefined, {}, 'it is not known which nodes its image is for'],
  [
    'linux/amd64',
    { program: { version: () => Promise.resolve(undefined), read: () => Promise.resolve(undefined) } },
    'this devloop came without the agent',
  ],
])('none for %s %o', async (platform, over, why) => {
  const { source, provided } = await start(over)
  expect(await source(platform)).toEqual({ why })
  expect(provided).toEqual([])
})

test('what is not known of an image is taken from the nodes', async () => {
  const { source } = await start({ platform: 'linux/arm64' })
  expect(await source(undefined)).toMatchObject({ ref: expect.stringContaining('linux-arm64') as string })
})
