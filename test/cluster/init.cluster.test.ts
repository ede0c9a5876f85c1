// `devloop init` and `devloop watch` on bare sources of each kind whose tools there are images of: they are built, run without any
// right in a "restricted" namespace, answer, and take what is saved. Then once more as a user of the cluster's own choice.
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { expect, onTestFinished, test } from 'vitest'
import { baseImages } from '../support/base-images.js'
import { testConnection, testNamespace } from '../support/cluster.js'
import { answers, homes, project, put, run, watch, type Watching } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'

interface Kind {
  /** Folder, and name of the app. */
  readonly name: string
  /** Folder of test/fixtures/init. */
  readonly sample: string
  /** The file with the word that it answers. */
  readonly file: string
  readonly word: string
}

const kinds: readonly Kind[] = [
  { name: 'web', sample: 'node-hello', file: 'server.js', word: 'hello from node' },
  { name: 'py', sample: 'python-plain', file: 'main.py', word: 'hello from python' },
  { name: 'gopher', sample: 'go-main', file: 'main.go', word: 'hello from go' },
  { name: 'duke', sample: 'java-maven-plain', file: 'src/main/java/com/example/hello/App.java', word: 'hello from java' },
  { name: 'crab', sample: 'rust-plain', file: 'src/main.rs', word: 'hello from rust' },
  { name: 'pages', sample: 'static-site', file: 'index.html', word: 'A site of plain files' },
]

const samples = fileURLToPath(new URL('../fixtures/init', import.meta.url))

test('bare sources of every kind are built, run without rights, answer, and are synced into', async () => {
  const bases = await baseImages(['node', 'python', 'go', 'java', 'maven', 'java-run', 'rust', 'nginx', 'static', 'cc'])
  const namespace = await testNamespace('devloop-init')
  onTestFinished(() => namespace.remove())
  const connection = await testConnection()
  onTestFinished(() => connection.close())
  await connection.request('PATCH', `/api/v1/namespaces/${namespace.name}`, {
    contentType: 'application/merge-patch+json',
    body: { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } },
  })
  const folder = await project({ 'bases.yaml': stringify(bases) })
  const env = await homes()
  for (const { name, sample } of kinds) await cp(join(samples, sample), join(folder, name), { recursive: true })

  const init = await run(['init', '--yes', '--bases', 'bases.yaml'], { cwd: folder, env })
  expect([init.code, init.stderr]).toEqual([0, ''])
  for (const { name } of kinds) expect(init.stdout).toContain(`created  ${name}/Dockerfile`)

  // only ports that are free here
  const file = join(folder, 'Devloopfile.ts')
  const ports = new Map<string, number>()
  let text = await readFile(file, 'utf8')
  for (const { name } of kinds) {
    ports.set(name, await freePort())
    text = text.replace(new RegExp(`(app\\('${name}', \\{[^]*?forward: )\\d+`), `$1${ports.get(name)}`)
  }
  await writeFile(file, text)

  const watching = await watch(['--namespace', namespace.name], { cwd: folder, env })
  const eachAnswers = (word: (kind: Kind) => string): Promise<unknown> =>
    Promise.all(
      kinds.map((kind) =>
        answers(`http://127.0.0.1:${ports.get(kind.name)}`, new RegExp(word(kind)), 120_000).catch(told(watching)),
      ),
    )
  /** Saves the sources with another word, and waits until each app answers it from the same image. */
  const edit = async (before: string, after: string): Promise<void> => {
    const images = imagesOf(watching)
    for (const { name, file: source, word } of kinds) {
      const path = join(folder, name, source)
      await put(path, (await readFile(path, 'utf8')).replaceAll(`${word}${before}`, `${word}${after}`))
    }
    await eachAnswers(({ word }) => `${word}${after}`)
    expect(imagesOf(watching)).toEqual(images)
  }
  const users = async (): Promise<unknown> =>
    Promise.all(
      kinds.map(async ({ name }) => {
        const { code, stdout } = await run(['exec', name, '--', 'id', '-u'], { cwd: folder, env })
        return [code, stdout.trim()]
      }),
    )

  await watching.ready(500_000)
  await eachAnswers(({ word }) => word)
  expect(await users()).toEqual(kinds.map(() => [0, '1001']))
  await edit('', ', edited')

  // as OpenShift runs it: a high number that no image knows, with group 0
  await writeFile(file, text.replaceAll(/^( +)port: \d+,$/gm, "$&\n$1user: '1000650000:0',"))
  await Promise.all(kinds.map(({ name }) => watching.until(name, (view) => view.ready, 120_000)))
  await expect.poll(users, { timeout: 120_000, interval: 1000 }).toEqual(kinds.map(() => [0, '1000650000']))
  await eachAnswers(({ word }) => `${word}, edited`)
  await edit(', edited', ', again')
}, 900_000)

const told =
  (watching: Watching) =>
  (thrown: unknown): never => {
    throw new Error(`${String(thrown)}\n${watching.output()}`)
  }

const imagesOf = (watching: Watching): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(
    [...watching.client.views().values()].flatMap((view) => (view.kind === 'image' ? [[view.name, view.ref]] : [])),
  )
