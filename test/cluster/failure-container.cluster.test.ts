// Containers that cannot be written to: one clear error, saves arrive by a rebuild where they can, and mending the cause heals it.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { testRegistry } from '../support/cluster.js'
import { errorsOf, masked, toldError, withBystanders, type Parts } from '../support/failures.js'
import { appFiles, loop, type Names } from '../support/loop.js'
import { waitFor } from '../support/wait-for.js'
import { deploymentYaml } from '../support/workloads.js'

/** A Deployment of the image `web`; `pod` and `container` are more fields of them, as YAML in braces. */
const deployment = (container = '', pod = ''): string =>
  deploymentYaml(
    pod,
    'containers:',
    '  - name: web',
    '    image: registry.example/loop/web',
    '    ports: [{ containerPort: 8080 }]',
    '    readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 }',
    `    ${container}`,
  )

const fromManifests = (parts: Parts) => (names: Names) =>
  withBystanders({
    ...parts,
    instead: `manifests('web', 'web.yaml', { images: [web], forward: { 8080: ${names.port} } })`,
  })({ ...names, name: names.name }).replace(`image('${names.name}/web'`, `image('loop/web'`)

const syncs = (output: string): number => output.split('\n').filter((line) => /web sync │ .* ms\)$/.test(line)).length

test('a full disk, until what is too large is gone', async () => {
  const one = await loop({
    files: {
      ...appFiles,
      'app/data/small.txt': 'small',
      'web.yaml': deployment(
        'volumeMounts: [{ name: data, mountPath: /data }]',
        'volumes: [{ name: data, emptyDir: { medium: Memory, sizeLimit: 1Mi } }]',
      ),
    },
    devloopfile: fromManifests({ live: "[sync('src', '/app/src'), restart({ on: 'src/**' }), sync('data', '/data')]" }),
  })
  const watching = await one.begin()
  const [pod] = await one.pods()
  const held = async (): Promise<string> => (await one.exec(pod?.name ?? '', ['cat', '/data/small.txt'])).stdout
  await one.save('app/data/big.bin', Buffer.alloc(2_000_000, 'x'))
  expect(masked(await toldError(watching, 'sync/disk-full'), one)).toMatchInlineSnapshot(`
    "sync/disk-full
    There is no space left in container web of pod NAMESPACE/POD to write /data/big.bin (as user 0 (root)).
    /data/big.bin: ENOSPC: no space left on device
    -> Free space in the container, or raise its storage limit."
  `)
  expect(watching.resource('web')?.status).toBe('failed')
  expect(watching.resource('other')?.ready).toBe(true)
  // the app itself runs on
  await one.answers('one')
  await rm(join(one.folder, 'app/data/big.bin'))
  await one.save('app/data/small.txt', 'small again')
  await watching.ready()
  expect(errorsOf(watching)).toEqual([])
  expect(await held()).toBe('small again')
  expect((await one.exec(pod?.name ?? '', ['ls', '-A', '/data'])).stdout.trim()).toBe('small.txt')
  expect((await one.pods()).map(({ uid }) => uid)).toEqual([pod?.uid])
})

test('a read-only root: told once, rebuilt from then on, and live sync is back when the manifest allows it [tilt-14]', async () => {
  const one = await loop({
    files: { ...appFiles, 'web.yaml': deployment('securityContext: { readOnlyRootFilesystem: true }') },
    devloopfile: fromManifests({}),
  })
  const watching = await one.begin()
  await one.save('app/src/word.txt', 'two')
  await one.answers('two')
  await watching.ready()
  // it is called live once it is, and failed never
  const text = /change \S+ ends.*/g
  await waitFor(() => text.test(watching.output()), { what: 'the end of the change to be printed' })
  text.lastIndex = 0
  const output = watching.output()
  expect(output.match(text)).toEqual([expect.stringContaining('ends: live in')])
  expect(output.search(text)).toBeGreaterThan(output.lastIndexOf('web deploy │ applied'))
  expect(output).not.toContain('web: failed')
  expect(masked(await toldError(watching, 'sync/read-only'), one)).toMatchInlineSnapshot(`
    "sync/read-only
    /app/src/word.txt is on a read-only file system in container web of pod NAMESPACE/POD (user 0 (root)).
    /app/src/word.txt: EROFS: read-only file system
    -> No line of a Dockerfile makes it writable: mount a volume at /app/src that is filled first, or leave \`readOnlyRootFilesystem\` out for development. Until then, saves rebuild the image."
  `)
  expect(watching.resource('other')?.ready).toBe(true)
  const tries = (): number => watching.output().match(/web sync │ .*read-only/g)?.length ?? 0
  expect(tries()).toBe(1)
  await one.save('app/src/word.txt', 'three')
  await one.answers('three')
  await watching.ready()
  expect(tries()).toBe(1)
  expect(syncs(watching.output())).toBe(0)
  expect(watching.output().match(/building loop\/web/g)).toHaveLength(3)

  await one.save('web.yaml', deployment())
  await waitFor(() => errorsOf(watching).length === 0, { what: 'the warning to go' })
  await watching.ready()
  const pods = await one.pods()
  await one.save('app/src/word.txt', 'four')
  await one.answers('four')
  await watching.ready()
  expect(await one.pods()).toEqual(pods)
  expect(watching.output().match(/building loop\/web/g)).toHaveLength(3)
})

test('an image without a shell, where no agent is wanted, is told so, and is rebuilt [tilt-14]', async () => {
  const busybox = `${await testRegistry()}/testbed/busybox:1`
  const one = await loop({
    files: {
      'app/Dockerfile': `FROM ${busybox} AS tools\nFROM scratch\nCOPY --from=tools /bin/busybox /busybox\nCOPY src /app/src\nCMD ["/busybox", "httpd", "-f", "-p", "8080", "-h", "/app/src"]\n`,
      'app/src/index.html': 'one',
    },
    devloopfile: (names) => withBystanders()(names).replace('resources:', 'settings: { agent: false }, resources:'),
  })
  const watching = await one.begin()
  await one.answers('one')
  await one.save('app/src/index.html', 'two')
  await one.answers('two')
  await watching.ready()
  expect(masked(await toldError(watching, 'sync/no-shell'), one)).toMatchInlineSnapshot(`
    "restart/unsupported at Devloopfile.ts:8
    Container web of deployment/web cannot be restarted in place: image PROJECT/web has no /bin/sh.
    The agent, which needs no shell, is not there: \`settings.agent\` is false.
    -> Let the resource be deployed by devloop, from an image with sh.

    sync/no-shell
    There is no shell (/bin/sh) in container web of pod NAMESPACE/POD.
    The agent, which needs none of it, is not there either: \`settings.agent\` is false.
    -> Use a base image with sh for development, or put one in: \`COPY --from=busybox:musl /bin/ /bin/\` in the Dockerfile. Until then, saves rebuild the image."
  `)
  await one.save('app/src/index.html', 'three')
  await one.answers('three')
  await watching.ready()
  expect(watching.resource('other')?.ready).toBe(true)
  expect(syncs(watching.output())).toBe(0)
  expect(watching.output().match(/building/g)).toHaveLength(3)
})
