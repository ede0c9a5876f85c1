// What was built has vanished from the registry: it is built and pushed again, though nothing has changed.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { testRegistry } from '../support/cluster.js'
import type { Watching } from '../support/devloop.js'
import { devloopfile, loop, type Loop, type Names } from '../support/loop.js'
import { waitFor } from '../support/wait-for.js'

const builds = (watching: Watching): number => watching.output().split('building ').length - 1

interface InRegistry {
  readonly ref: string
  exists(): Promise<boolean>
  remove(): Promise<void>
}

/** The image of `web` in the registry. */
async function built(one: Loop, watching: Watching): Promise<InRegistry> {
  const host = await testRegistry()
  const view = await waitFor(
    () => {
      const image = watching.client.get('image', `${one.name}/web`)
      return image?.state === 'built' ? image : undefined
    },
    { what: 'the image to be built', timeoutMs: 90_000 },
  )
  const [, repository, tag] = /^[^/]+\/(.+):([^:]+)$/.exec(view.ref ?? '') ?? []
  const manifest = (name: string, method: string): Promise<Response> =>
    fetch(`http://${host}/v2/${repository}/manifests/${name}`, {
      method,
      headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
    })
  return {
    ref: view.ref ?? '',
    exists: async () => (await manifest(tag ?? '', 'HEAD')).ok,
    async remove() {
      const digest = (await manifest(tag ?? '', 'HEAD')).headers.get('docker-content-digest') ?? ''
      expect((await manifest(digest, 'DELETE')).status).toBe(202)
    },
  }
}

test('a start with nothing changed builds what has vanished from the registry, and leaves the pods [tilt-23]', async () => {
  const one = await loop()
  const first = await one.begin()
  const image = await built(one, first)
  const pods = await one.pods()
  first.child.kill('SIGINT')
  await first.ended
  await image.remove()
  expect(await image.exists()).toBe(false)

  const second = await one.begin()
  await waitFor(() => image.exists(), { what: 'the image to be in the registry again', timeoutMs: 60_000 })
  await second.ready(60_000)
  expect(second.output()).toContain('what was built is gone')
  expect(builds(second)).toBe(1)
  expect(await one.pods()).toEqual(pods)
})

const gated = (names: Names): string =>
  devloopfile(`needs: ['gate'], `)(names)
    .replace('import { app,', 'import { app, local,')
    .replace('resources: [', "resources: [local('gate', { run: 'while ! test -e open; do sleep 0.1; done' }), ")

test('an image that no node can pull any more is built again, and the pod starts [tilt-23]', async () => {
  const one = await loop({ devloopfile: gated })
  const watching = await one.watch()
  const image = await built(one, watching)
  await image.remove()
  await one.save('open', '')
  await watching.ready(180_000)
  await one.answers('one')
  expect(await image.exists()).toBe(true)
  expect(builds(watching)).toBe(2)
  await rm(join(one.folder, 'open'))
})
