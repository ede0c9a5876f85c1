// Compose files on the cluster: the example, and what its services cannot show.
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { randomSuffix, waitFor } from '../support/cluster.js'
import { repository } from '../support/devloop.js'
import { loop, type Loop, type Names } from '../support/loop.js'

const example = join(repository, 'examples/compose')

async function exampleFiles(): Promise<Record<string, string>> {
  const entries = await readdir(example, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name !== 'Devloopfile.ts')
    .map((entry) => join(entry.parentPath, entry.name))
  const files = await Promise.all(
    paths.map(async (path) => [path.slice(example.length + 1), await readFile(path, 'utf8')] as const),
  )
  return Object.fromEntries(files)
}

const devloopfile =
  (call: string) =>
  ({ name, namespace }: Names): string =>
    `
import { compose, defineDevloop, restart, sync } from 'devloop'
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [...compose(${call})],
}))
`

/** The project is called `NAME`, so that its images and volumes meet nobody else's. */
async function composed(files: Readonly<Record<string, string>>, call: string): Promise<Loop> {
  const one = await loop({ files, devloopfile: devloopfile(call) })
  await one.save('.env', `BASE=${one.base}\nWEB_PORT=${one.port}\nNAME=${one.name}\n`)
  return one
}

const uids = async (one: Loop, ...names: string[]): Promise<string[]> =>
  (await Promise.all(names.map((name) => one.pods(name)))).flat().map((pod) => pod.uid)

test('the example: deployed in order, live-synced, rebuilt, rolled out, removed with the file', async () => {
  const files = await exampleFiles()
  const yaml = (files['compose.yaml'] ?? '').replace('name: example-compose', 'name: ${NAME}')
  const one = await composed(
    { ...files, 'compose.yaml': yaml },
    `'compose.yaml', { live: { greeter: [restart({ on: 'src/**' })] } }`,
  )
  const watching = await one.watch()
  await watching.until('web', (view) => view.hold?.code === 'needs')
  await watching.ready(90_000)
  expect(watching.resource('check')?.pods).toMatchObject([{ phase: 'succeeded' }])
  expect([watching.resource('web')?.warnings, watching.resource('greeter')?.warnings]).toEqual([[], []])
  // by its service's name, with the word of its secret
  await one.answers('Greeting: hello world, made with Compose, devloop-example-compose-web')

  const before = await uids(one, 'web', 'greeter')
  await one.save('web/public/footer.txt', 'synced')
  await one.answers(/, synced, /)
  await one.save('web/src/heading.js', "export const heading = 'Restarted'")
  await one.answers(/^Restarted: /)
  // its Dockerfile copies no sources: the mounted folder is part of the image all the same
  await one.save('greeter/src/greet.js', 'export const greet = (word) => `${word} mount`')
  await one.answers(/: hello mount, /)
  expect(await uids(one, 'web', 'greeter')).toEqual(before)

  const [web] = before
  await one.save('web/package.json', (files['web/package.json'] ?? '').replace('compose-web', 'compose-rebuilt'))
  await one.answers(/devloop-example-compose-rebuilt$/, '/', 60_000)
  expect(await uids(one, 'web')).not.toContain(web)
  // a changed secret rolls out
  await one.save('word.txt', 'good morning')
  await one.answers(/: good morning mount, /, '/', 60_000)
  const secrets = (await one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/secrets`)) as {
    items: { metadata: { name: string } }[]
  }
  expect(secrets.items.map(({ metadata }) => metadata.name)).toContainEqual(expect.stringMatching(/^greeter\.devloop-files-/))

  await one.save('compose.yaml', yaml.replace(/ {6}check: \{.*\n/, '').replace(/\n {2}check:[\s\S]*?\n\n/, '\n'))
  const jobs = `/apis/batch/v1/namespaces/${one.namespace}/jobs`
  await waitFor(async () => ((await one.connection.request('GET', jobs)) as { items: unknown[] }).items.length === 0, {
    what: 'the job to be deleted',
    timeoutMs: 30_000,
  })
  await watching.ready()
  await one.answers(/: good morning mount, /)
})

const listen = (port: number, answer: string): string =>
  `[node, -e, 'process.on("SIGTERM", () => process.exit(0)); require("http").createServer((q, r) => r.end(${answer})).listen(${port})']`

test('names, ports, files and users; a volume where the cluster makes none', async () => {
  const one = await composed(
    {
      'conf/settings.txt': 'set',
      'compose.yaml': `name: \${NAME}
services:
  web:
    image: \${BASE}
    entrypoint: ${listen(8080, 'require("fs").readFileSync(q.url, "utf8")')}
    ports: ["\${WEB_PORT}:8080"]
    volumes: ["./conf:/conf:ro", "data:/data"]
    configs: [{ source: inline, target: /etc/inline.txt }]
    tmpfs: /scratch
    working_dir: /scratch
    user: "1234:5"
  peer:
    image: \${BASE}
    container_name: other-name
    # it says nothing of its port
    entrypoint: ${listen(7777, '"reached"')}
configs: { inline: { content: written here } }
volumes: { data: }
`,
    },
    `'compose.yaml'`,
  )
  const watching = await one.begin()
  await one.answers('set', '/conf/settings.txt')
  await one.answers('written here', '/etc/inline.txt')
  const [pod] = await one.pods('web')
  const run = async (script: string): Promise<string> =>
    (await one.exec(pod?.name ?? '', ['sh', '-c', script], 'web')).stdout.trim()
  expect(await run('pwd; id -u; id -g; touch /scratch/a /data/a && echo writable')).toBe('/scratch\n1234\n5\nwritable')
  const ask = (host: string): Promise<string> =>
    run(`node -e 'fetch("http://${host}:7777").then((r) => r.text()).then(console.log, (e) => console.log(String(e.cause)))'`)
  await waitFor(async () => (await ask('peer')) === 'reached' && (await ask('other-name')) === 'reached', {
    what: 'peer to be reached',
  })

  const classes = (await one.connection.request('GET', '/apis/storage.k8s.io/v1/storageclasses')) as {
    items: { metadata: { annotations?: Record<string, string> } }[]
  }
  const hasDefault = classes.items.some(
    (item) => item.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true',
  )
  expect(watching.resource('web')?.warnings.map(({ code }) => code)).toEqual(hasDefault ? [] : ['app/volume'])

  // a file of a folder that is mounted read-only
  await one.save('conf/settings.txt', 'set anew')
  await one.answers('set anew', '/conf/settings.txt', 60_000)
  await one.save('conf/more.txt', 'one more')
  await one.answers('one more', '/conf/more.txt', 60_000)
})

test('who waits for a service that must succeed is held while it fails', async () => {
  const compose = (code: number): string => `name: \${NAME}
services:
  web: { image: "\${BASE}", entrypoint: ${listen(8080, '"up"')}, ports: ["\${WEB_PORT}:8080"], depends_on: { migrate: { condition: service_completed_successfully } } }
  migrate: { image: "\${BASE}", entrypoint: [sh, -c, "echo migrating; exit ${code}"] }
`
  const one = await composed({ 'compose.yaml': compose(3) }, `'compose.yaml'`)
  const watching = await one.watch()
  const failed = await watching.until('migrate', (view) => view.status === 'failed', 60_000)
  expect(failed.error?.code).toBe('pod/crashed')
  expect(watching.resource('web')).toMatchObject({ ready: false, hold: { code: 'needs' } })
  await one.save('compose.yaml', compose(0))
  await watching.ready()
  await one.answers('up')
})

test('a named volume is a claim that outlives its app', async () => {
  const name = `devloop-test-${randomSuffix()}`
  const options = `'compose.yaml', { apps: { web: { volumes: { '/data': { volume: 'kept', storageClass: '${name}' } } } } }`
  const one = await composed(
    {
      'compose.yaml': `name: \${NAME}
services:
  web: { image: "\${BASE}", entrypoint: ${listen(8080, 'require("fs").readFileSync("/data/kept", "utf8")')}, ports: ["\${WEB_PORT}:8080"] }
  rest: { image: "\${BASE}", entrypoint: ${listen(8080, '""')} }
`,
    },
    options,
  )
  const call = devloopfile(options)
  const volumes = '/api/v1/persistentvolumes'
  await one.connection.request('POST', volumes, {
    body: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: name,
        persistentVolumeReclaimPolicy: 'Retain',
        hostPath: { path: `/tmp/${name}`, type: 'DirectoryOrCreate' },
      },
    },
  })
  onTestFinished(async () => {
    await one.connection.request('DELETE', `${volumes}/${name}`)
    // where the node is this machine
    await rm(`/tmp/${name}`, { recursive: true, force: true })
  })
  const watching = await one.begin()
  const write = async (text: string): Promise<void> => {
    const [pod] = await one.pods('web')
    await one.exec(pod?.name ?? '', ['sh', '-c', `echo ${text} > /data/kept; chmod 777 /data`], 'web')
  }
  await write('first')
  await one.answers('first\n')
  // a rollout: the old pod is gone before the new one begins
  const before = await uids(one, 'web')
  await one.save(
    'compose.yaml',
    (await readFile(join(one.folder, 'compose.yaml'), 'utf8')).replace('  web: {', '  web: { environment: { A: 1 },'),
  )
  await waitFor(async () => (await uids(one, 'web')).every((uid) => !before.includes(uid)), {
    what: 'the rollout',
    timeoutMs: 60_000,
  })
  await one.answers('first\n', '/', 60_000)
  // the service goes, and what it wrote stays
  await one.save('Devloopfile.ts', devloopfile(`'compose.yaml', { services: ['rest'] }`)(one))
  await waitFor(async () => (await one.pods('web')).length === 0, { what: 'the service to go', timeoutMs: 60_000 })
  await watching.ready()
  const claims = async () =>
    (
      (await one.connection.request('GET', `/api/v1/namespaces/${one.namespace}/persistentvolumeclaims`)) as {
        items: { metadata: { name: string; labels?: Record<string, string> } }[]
      }
    ).items.map(({ metadata }) => [
      metadata.name,
      Object.keys(metadata.labels ?? {}).filter((label) => label.startsWith('devloop.dev/')),
    ])
  await waitFor(async () => JSON.stringify(await claims()) === '[["kept",[]]]', {
    what: 'the claim to be let go',
    timeoutMs: 30_000,
  })
  // it comes back to what it wrote
  await one.save('Devloopfile.ts', call(one))
  await one.answers('first\n', '/', 60_000)
  expect((await one.devloop('down')).code).toBe(0)
  expect(await claims()).toEqual([['kept', []]])
})
