// Images that a command of the user's own builds: how its result is found, what it is told, and how it is called off.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomInt } from 'node:crypto'
import { expect, test } from 'vitest'
import type { BuildRecord } from '../../src/model/build-record.js'
import type { CustomBuild } from '../../src/model/plan.js'
import { base, buildPlace, isRunning, registry, registryHost, type BuildPlace } from '../support/docker-builds.js'
import { loop, server, type Names } from '../support/loop.js'
import { waitFor } from '../support/wait-for.js'

/** A context with a Dockerfile whose result is of this test alone. */
async function place(): Promise<BuildPlace & { by(command: string, env?: CustomBuild['env']): { build: CustomBuild } }> {
  const made = await buildPlace()
  await made.put(
    'Dockerfile',
    `FROM ${base}\nCOPY own.txt /\nLABEL dev.devloop.image=${made.repository}\nCMD ["cat", "/own.txt"]\n`,
  )
  return { ...made, by: (command, env = {}) => ({ build: { command, cwd: made.context, env } }) }
}

// the second name keeps the engine's cache when the first is removed
const own = 'docker build -q -t "$DEVLOOP_REF" -t "$DEVLOOP_IMAGE:cache" .'
const other = 'docker build -q -t "$DEVLOOP_REPOSITORY:mine" -t "$DEVLOOP_IMAGE:cache" .'
const ways = {
  'tagged in the engine': `${own} && echo done`,
  'pushed, and not in the engine': `${own} && docker push -q "$DEVLOOP_REF" && docker rmi "$DEVLOOP_REF"`,
  'named in the file': `${other} && echo "$DEVLOOP_REPOSITORY:mine" > "$DEVLOOP_REF_FILE"`,
  'named by the last line': `${other} && docker push -q "$DEVLOOP_REPOSITORY:mine" && docker rmi "$DEVLOOP_REPOSITORY:mine" >&2 && echo "$DEVLOOP_REPOSITORY:mine" && echo bye >&2`,
}

test.each(Object.entries(ways))('the image is found when it is %s', async (_, command) => {
  const { build, by, builder, engine, repository } = await place()
  const { image, steps } = await build('', { image: by(command), request: { registry } })
  expect(image.ref).toMatch(new RegExp(`^${registryHost}/${repository.replaceAll('/', '.')}:devloop-[0-9a-f]{16}$`))
  expect(image.config).toMatchObject({ cmd: ['cat', '/own.txt'], shell: true })
  expect(steps.findLast(({ id }) => id === 'command')?.state).toBe('done')
  expect(await builder().exists({ ref: image.ref } as BuildRecord, registry, new AbortController().signal)).toBe(true)
  const again = await build('', { image: by(command), request: { registry } })
  expect(again.image).toEqual(image)
  const names = await engine.json<{ RepoTags: string[] }>({ method: 'GET', path: `/images/${image.ref}/json` })
  expect(names.RepoTags.filter((name) => name.includes('devloop-build'))).toEqual([])
})

test('without a registry the image stays in the engine; the command knows what it is to make, and of what', async () => {
  const { build, by, context, repository } = await place()
  const { image, lines } = await build('', {
    image: {
      ...by(`${own}; env | grep -E '^(DEVLOOP_|MODE|PARENT)' | sort`, { MODE: 'dev' }),
      baseArgs: { PARENT: 'shop/base' },
    },
    request: { bases: { 'shop/base': 'shop/base:devloop-1' }, platform: 'linux/amd64' },
    env: { MODE: 'other', DEVLOOP_REF: 'mine' },
  })
  expect(image.ref).toMatch(new RegExp(`^${repository}:devloop-[0-9a-f]{16}$`))
  const env = Object.fromEntries(lines.filter((line) => line.includes('=')).map((line) => line.split('=')))
  expect(env).toMatchObject({
    DEVLOOP_CONTEXT: context,
    DEVLOOP_IMAGE: repository,
    DEVLOOP_PLATFORM: 'linux/amd64',
    DEVLOOP_REF: `${env.DEVLOOP_REPOSITORY}:${env.DEVLOOP_TAG}`,
    DEVLOOP_REGISTRY: '',
    DEVLOOP_REPOSITORY: repository,
    MODE: 'dev',
    PARENT: 'shop/base:devloop-1',
  })
})

test('a command that fails, one that makes nothing and one that cannot be started are each one clear error', async () => {
  const { failure, build, by } = await place()
  expect(await failure('', { image: by('echo compiling; echo "no such type" >&2; exit 3') })).toMatchObject({
    code: 'build/failed',
    message: expect.stringContaining('failed with exit code 3.') as string,
    why: 'compiling\nno such type',
    where: { file: '/shop/Devloopfile.ts', line: 3 },
  })
  // what the same command made earlier is not taken for its result
  await build('', { image: by('test -e none || docker build -q -t "$DEVLOOP_REF" .') })
  await writeFile(join((by('').build as { cwd: string }).cwd, 'none'), '')
  const nothing = await failure('', { image: by('test -e none || docker build -q -t "$DEVLOOP_REF" .') })
  expect(nothing).toMatchObject({ code: 'build/no-image', help: expect.stringContaining('$DEVLOOP_REF_FILE') as string })
  expect(await failure('', { image: { build: { command: ['no-such-builder'], cwd: '/', env: {} } } })).toMatchObject({
    code: 'local/start',
  })
  expect(await failure('', { image: by(`echo ${registryHost}/devloop-test/none:1`) })).toMatchObject({
    code: expect.stringMatching(/^registry\//) as string,
    message: expect.stringContaining('devloop-test/none:1') as string,
  })
})

test('a command that is called off ends with all that it started [tilt-20]', async () => {
  const { build, by } = await place()
  const seconds = String(randomInt(1e6, 1e7))
  const stop = new AbortController()
  const building = build('', {
    image: by(`trap '' TERM; (sh -c "trap '' TERM; sleep ${seconds}; true" &); sleep ${seconds}; true`),
    signal: stop.signal,
  })
  building.catch(() => undefined)
  await waitFor(() => isRunning('sleep', seconds), { what: 'the grandchild to run', timeoutMs: 30_000 })
  stop.abort()
  await expect(building).rejects.toMatchObject({ name: 'AbortError' })
  await waitFor(async () => !(await isRunning('sleep', seconds)), { what: 'all of it to end', timeoutMs: 1_000, everyMs: 10 })
})

const devloopfile = ({ name, namespace, base: node, port }: Names): string => `
import { app, defineDevloop, image, sync } from 'devloop'
const web = image('${name}/web', {
  context: 'app',
  build: { command: 'docker build -q --build-arg NODE="$NODE" -t "$DEVLOOP_REF" .', env: { NODE: '${node}' } },
  live: [sync('public', '/app/public')],
})
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [app('web', { image: web, port: 8080, forward: ${port} })],
}))
`

test('live rules hold for it: what they cover is synced, all else runs the command again [tilt-4]', async () => {
  const shop = await loop({
    devloopfile,
    files: {
      'app/Dockerfile': 'ARG NODE\nFROM $NODE\nWORKDIR /app\nCOPY . .\nCMD ["node", "src/server.js"]\n',
      'app/package.json': '{"type":"module"}',
      'app/src/server.js': server,
      'app/src/word.txt': 'one',
      'app/public/live.txt': 'first',
    },
  })
  const watching = await shop.begin()
  await shop.answers('one')
  const [pod] = await shop.pods()
  await shop.save('app/public/live.txt', 'second')
  await shop.answers('second', '/live')
  expect((await shop.pods()).map(({ uid }) => uid)).toEqual([pod!.uid])
  await shop.save('app/src/word.txt', 'two')
  await shop.answers('two', '/', 90_000)
  await watching.ready(90_000)
  expect((await shop.pods())[0]?.uid).not.toBe(pod!.uid)
  await shop.answers('second', '/live')
  await shop.save('app/public/live.txt', 'third')
  await shop.answers('third', '/live')
})
