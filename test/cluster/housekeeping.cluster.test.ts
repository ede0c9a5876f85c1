// What is left of many builds, on the real engine and registry: a bounded number of devloop's images, and everything of others.
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import { expect, onTestFinished, test } from 'vitest'
import { authHeader } from '../../src/adapters/docker/auth.js'
import { createEngineConnector, type Engine } from '../../src/adapters/docker/engine.js'
import { referencedImages } from '../../src/adapters/kube/references.js'
import { followRequest } from '../../src/adapters/docker/engine-stream.js'
import { limitedUser, randomSuffix, testConnection, testNamespace, testRegistry, waitFor } from '../support/cluster.js'
import type { Watching } from '../support/devloop.js'
import { loop, type Loop } from '../support/loop.js'

const never = new AbortController().signal
/** `keep` of the Devloopfile below. */
const keep = 2

// no pod runs the image that is built again and again, so that a build is all that a save costs
const devloopfile = ({ name, namespace }: { name: string; namespace: string }): string => `
import { app, defineDevloop, image } from 'devloop'
const web = image('${name}/web', { context: 'app', network: 'none' })
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  settings: { prune: { keep: ${keep} } },
  resources: [app('web', { image: web, replicas: 0 })],
}))
`

interface Registry {
  readonly host: string
  tags(repository: string): Promise<readonly string[]>
  /** Digest and content of a manifest. */
  manifest(repository: string, tag: string): Promise<string | undefined>
}

async function registryOf(): Promise<Registry> {
  const host = await testRegistry()
  const ask = (path: string): Promise<Response> =>
    fetch(`http://${host}/v2/${path}`, { headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' } })
  return {
    host,
    async tags(repository) {
      const { tags } = (await (await ask(`${repository}/tags/list`)).json()) as { tags?: string[] | null }
      return (tags ?? []).toSorted()
    },
    async manifest(repository, tag) {
      const answer = await ask(`${repository}/manifests/${tag}`)
      return answer.status === 200 ? `${answer.headers.get('docker-content-digest')} ${await answer.text()}` : undefined
    },
  }
}

interface EngineImages {
  readonly engine: Engine
  /** Id by each name in a repository. */
  named(repository: string): Promise<Readonly<Record<string, string>>>
  /** Descriptions of what the build cache holds of steps with this text. */
  cached(text: string): Promise<readonly string[]>
  /** Remove all that is in a repository. */
  forget(repository: string): Promise<void>
  tag(id: string, repository: string, tag: string): Promise<void>
  push(repository: string, tag: string): Promise<void>
  /** Build an image with the classic builder, as others do. @returns its id */
  build(dockerfile: string, repository: string, tag: string): Promise<string>
}

async function engineOf(): Promise<EngineImages> {
  const engine = await createEngineConnector(process.env)(never)
  const named: EngineImages['named'] = async (repository) => {
    const images = await engine.json<{ Id: string; RepoTags?: string[] | null }[]>({ method: 'GET', path: '/images/json' })
    return Object.fromEntries(
      images.flatMap(({ Id, RepoTags }) =>
        (RepoTags ?? []).filter((name) => name.startsWith(`${repository}:`)).map((name) => [name, Id]),
      ),
    )
  }
  const follow = (path: string, query: Record<string, unknown>, body: Readable | Record<string, never> = {}): Promise<void> =>
    followRequest(
      engine,
      { method: 'POST', path, query, body, headers: { 'X-Registry-Auth': authHeader(undefined) }, signal: never },
      () => {},
    )
  return {
    engine,
    named,
    async cached(text) {
      const { BuildCache: entries } = await engine.json<{ BuildCache: { Description: string }[] }>({
        method: 'GET',
        path: '/system/df',
      })
      return entries.map((entry) => entry.Description).filter((description) => description.includes(text))
    },
    async forget(repository) {
      for (const name of Object.keys(await named(repository)))
        await engine.json({ method: 'DELETE', path: `/images/${name}`, query: { force: '1' } }).catch(() => {})
    },
    tag: async (id, repository, tag) =>
      void (await engine.json({ method: 'POST', path: `/images/${id}/tag`, query: { repo: repository, tag }, body: {} })),
    push: (repository, tag) => follow(`/images/${repository}/push`, { tag }),
    async build(dockerfile, repository, tag) {
      const context = pack()
      context.entry({ name: 'Dockerfile' }, dockerfile)
      context.finalize()
      await follow('/build', { t: `${repository}:${tag}`, version: '1' }, Readable.from(context))
      return (await named(repository))[`${repository}:${tag}`] as string
    },
  }
}

/** Save another content, and wait until it is built. @returns the image's new reference */
async function rebuild(one: Loop, watching: Watching, text: string): Promise<string> {
  const image = (): string | undefined => watching.client.get('image', `${one.name}/web`)?.ref
  const before = image()
  await one.save('app/content', text)
  await waitFor(() => watching.client.get('image', `${one.name}/web`)?.state === 'built' && image() !== before, {
    what: `the build of ${text}`,
    timeoutMs: 60_000,
  }).catch((thrown: unknown) => {
    throw new Error(
      `${String(thrown)}\n${watching.output().slice(-3000)}\n${JSON.stringify(watching.client.get('image', `${one.name}/web`))}`,
    )
  })
  return image() as string
}

const tagOf = (reference: string): string => reference.slice(reference.lastIndexOf(':') + 1)

test('50 builds later, engine and registry hold a bounded number of our images; what runs, and what others made, is untouched', async () => {
  const registry = await registryOf()
  const busybox = `${registry.host}/testbed/busybox:1`
  const mark = randomSuffix()
  const one = await loop({
    devloopfile,
    files: {
      'app/Dockerfile': `FROM ${busybox} AS tool\nCOPY content /in\nRUN : ${mark}; cp /in /out\nFROM ${busybox}\nCOPY --from=tool /out /content\n`,
      'app/content': 'first',
    },
  })
  const { engine, ...images } = await engineOf()
  const watching = await one.begin()
  const first = watching.client.get('image', `${one.name}/web`)?.ref as string
  const repository = first.slice(0, first.lastIndexOf(':'))
  const name = repository.slice(registry.host.length + 1)
  onTestFinished(() => images.forget(repository))
  // of another instance, as far as devloop can tell: it only uses the image
  await one.connection.request('POST', `/api/v1/namespaces/${one.namespace}/pods`, {
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'other' },
      spec: { containers: [{ name: 'main', image: first, command: ['sleep', '3600'] }], terminationGracePeriodSeconds: 0 },
    },
  })
  // what others make of devloop's images: one tagged by hand, and one built on another, which inherits its labels
  const second = await rebuild(one, watching, 'second')
  await images.tag(second, repository, 'release')
  await images.push(repository, 'release')
  const derived = await images.build(`FROM ${second}\nENV MINE=1\n`, repository, 'derived')
  await images.push(repository, 'derived')
  // as devloop names images, but not by devloop
  await images.tag(derived, repository, 'devloop-0123456789abcdef')
  await images.push(repository, 'devloop-0123456789abcdef')
  const foreignTags = ['derived', 'devloop-0123456789abcdef', 'release']
  const foreign = async (): Promise<unknown> => [
    await Promise.all(foreignTags.map((tag) => registry.manifest(name, tag))),
    // engines list them in any order
    Object.fromEntries(Object.entries(await images.named(repository)).filter(([tagged]) => foreignTags.includes(tagOf(tagged)))),
    (await engine.json<{ RootFS: unknown }>({ method: 'GET', path: `/images/${derived}/json` })).RootFS,
  ]
  const before = await foreign()
  expect(before).not.toContain(undefined)

  expect(await images.cached(mark)).toHaveLength(2)
  let newest = ''
  for (let build = 3; build <= 50; build++) newest = await rebuild(one, watching, `build ${build}`)
  const ours = async (): Promise<readonly string[]> => (await registry.tags(name)).filter((tag) => !foreignTags.includes(tag))
  // by itself, when nobody waits for anything
  await waitFor(async () => (await ours()).length <= keep + 2, {
    what: 'old images to be removed',
    everyMs: 500,
    timeoutMs: 240_000,
  })
  const kept = await ours()
  expect(kept).toContain(tagOf(newest))
  expect(kept).toContain(tagOf(first))
  // the registry cannot delete the second build without the tag that somebody else gave it
  expect(kept.length).toBeLessThanOrEqual(keep + 2)
  await waitFor(async () => Object.keys(await images.named(repository)).length <= keep + 1 + foreignTags.length, {
    what: 'old images to be gone from the engine',
    everyMs: 1000,
    timeoutMs: 120_000,
  })
  expect(await foreign()).toEqual(before)
  // an engine lets go of what a build has used some time after it, so that some more count as used by the last ones
  await waitFor(async () => (await images.cached(mark)).length <= keep + 8, {
    what: 'the cache of old builds to be gone',
    everyMs: 2000,
    timeoutMs: 120_000,
  }).catch(async (thrown: unknown) => {
    const told = (await one.devloop('logs')).stdout.split('\n').filter((line) => line.startsWith('housekeeping'))
    throw new Error(`${String(thrown)}: ${(await images.cached(mark)).length} are left; ${told.join('; ')}`)
  })
  // in one round or in several
  const told = (await one.devloop('logs')).stdout
  expect(told).toMatch(/removed what is not needed: .*\d+ images in the registry/)
  expect(told).toMatch(/removed what is not needed: .*MB of build cache/)

  // and when asked: nothing is left to do, with the daemon and without
  const asked = await one.devloop('prune', '--dry-run')
  expect(asked.stdout).not.toContain(repository)
  await rebuild(one, watching, 'last but one')
  const last = await rebuild(one, watching, 'last')
  const dry = await one.devloop('prune', '--dry-run')
  expect(dry.stdout).toContain(`would remove from the registry: ${repository}:${tagOf(newest)}`)
  expect(await ours()).toContain(tagOf(newest))
  watching.child.kill('SIGINT')
  await watching.ended
  const alone = await one.devloop('prune')
  expect(alone).toMatchObject({ code: 0, stderr: '' })
  expect(alone.stdout).toContain(`removed from the registry: ${repository}:${tagOf(newest)}`)
  expect(alone.stdout).toContain(`removed from the engine: ${repository}:${tagOf(newest)}`)
  expect(await ours()).not.toContain(tagOf(newest))
  expect(await ours()).toEqual(expect.arrayContaining([tagOf(first), tagOf(last)]))
  expect(await foreign()).toEqual(before)
  expect((await one.devloop('prune')).stdout).toContain('nothing to remove')

  // what is on disk does not grow either
  const [instance] = await readdir(join(one.env.XDG_STATE_HOME ?? '', 'devloop'))
  const journal = await readFile(join(one.env.XDG_STATE_HOME ?? '', 'devloop', instance ?? '', 'made.jsonl'), 'utf8')
  expect(journal.match(/"made"/g)?.length ?? 0).toBeLessThanOrEqual(keep + 2)
}, 600_000)

test('of the names that build commands push by, only that of the newest command stays', async () => {
  const registry = await registryOf()
  const body =
    (step: string) =>
    ({ name, namespace }: { name: string; namespace: string }) =>
      `
import { app, defineDevloop, image } from 'devloop'
const command = 'docker build -q --network none -t "$DEVLOOP_REF" . && docker push -q "$DEVLOOP_REF" && : ${step}'
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  settings: { prune: { keep: ${keep} } },
  resources: [app('web', { image: image('${name}/web', { context: 'app', build: { command } }), replicas: 0 })],
}))
`
  const one = await loop({
    devloopfile: body('one'),
    files: { 'app/Dockerfile': `FROM ${registry.host}/testbed/busybox:1\nLABEL mark=${randomSuffix()}\n` },
  })
  const { forget } = await engineOf()
  const watching = await one.begin()
  const image = () => watching.client.get('image', `${one.name}/web`)
  const first = image()?.ref as string
  const repository = first.slice(0, first.lastIndexOf(':'))
  onTestFinished(() => forget(repository))
  const names = async (): Promise<readonly string[]> =>
    (await registry.tags(repository.slice(registry.host.length + 1))).filter((tag) => tag.startsWith('devloop-build-'))
  for (const step of ['two', 'three']) {
    const before = await names()
    await one.save('Devloopfile.ts', body(step)(one))
    await waitFor(async () => (await names()).length > before.length && image()?.state === 'built', {
      what: `the build by command ${step}`,
      timeoutMs: 60_000,
    })
    // another command that makes the same image
    expect(image()?.ref).toBe(first)
  }
  expect(await names()).toHaveLength(3)
  watching.child.kill('SIGINT')
  await watching.ended
  // all lead to one manifest, which is in use: the names stay until that is not
  expect((await one.devloop('prune')).code).toBe(0)
  expect(await registry.tags(repository.slice(registry.host.length + 1))).toContain(first.slice(first.lastIndexOf(':') + 1))
  const again = await one.begin()
  for (let build = 1; build <= keep; build++) {
    const before = again.client.get('image', `${one.name}/web`)?.ref
    await one.save('app/Dockerfile', `FROM ${registry.host}/testbed/busybox:1\nLABEL mark=${randomSuffix()}\n`)
    await waitFor(() => again.client.get('image', `${one.name}/web`)?.ref !== before, {
      what: 'another build',
      timeoutMs: 60_000,
    })
  }
  await again.ready()
  again.child.kill('SIGINT')
  await again.ended
  expect(await one.devloop('prune')).toMatchObject({ code: 0, stderr: '' })
  expect(await names()).toHaveLength(1)
}, 300_000)

test('who may look into one namespace only is told that what runs elsewhere is not known', async () => {
  const place = await testNamespace()
  onTestFinished(() => place.remove())
  const elsewhere = await testNamespace()
  onTestFinished(() => elsewhere.remove())
  const connection = await testConnection()
  onTestFinished(() => connection.close())
  for (const [namespace, image] of [
    [place.name, 'nowhere.example/here:1'],
    [elsewhere.name, 'nowhere.example/there:1'],
  ] as const)
    await connection.request('POST', `/apis/batch/v1/namespaces/${namespace}/cronjobs`, {
      body: {
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        metadata: { name: 'nightly' },
        spec: {
          schedule: '0 0 1 1 *',
          jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image }] } } } },
        },
      },
    })
  const verbs = ['get', 'list', 'watch']
  const user = await limitedUser(place.name, [
    { apiGroups: [''], resources: ['pods'], verbs },
    { apiGroups: ['apps'], resources: ['deployments', 'statefulsets', 'daemonsets'], verbs },
    { apiGroups: ['batch'], resources: ['cronjobs'], verbs },
  ])
  onTestFinished(() => user.remove())
  const limited = await testConnection(user.file)
  onTestFinished(() => limited.close())
  const namespaces = new Set([place.name])
  expect(await referencedImages(limited, namespaces, never)).toEqual({
    images: new Set(['nowhere.example/here:1']),
    isWhole: false,
  })
  const all = await referencedImages(connection, namespaces, never)
  expect([all.isWhole, all.images.has('nowhere.example/there:1')]).toEqual([true, true])
})
