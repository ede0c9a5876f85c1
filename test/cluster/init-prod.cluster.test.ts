// The stage `prod` of generated Dockerfiles, by both builders: its user is a number, it runs as any user without capabilities, and a
// change of the sources alone builds upon the layer with the dependencies.
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Engine } from '../../src/adapters/docker/engine.js'
import { makeBases } from '../../src/scaffold/bases.js'
import { planInit } from '../../src/scaffold/plan.js'
import { readSourceTree } from '../../src/scaffold/source-tree.js'
import { baseImages } from '../support/base-images.js'
import { answers, repository } from '../support/devloop.js'
import { buildPlace } from '../support/docker-builds.js'

interface Kind {
  /** Folder of test/fixtures/init. */
  readonly sample: string
  readonly file: string
  readonly word: string
  /** The step that is used again when only `file` changed. Go compiles its whole library again, which is left out here. */
  readonly dependencies?: string
  /** The classic builder builds the stage `dev` too, which is quick for some only. */
  readonly classic?: true
}

const kinds: readonly Kind[] = [
  { sample: 'python-plain', file: 'main.py', word: 'hello from python', dependencies: 'RUN pip install', classic: true },
  { sample: 'go-main', file: 'main.go', word: 'hello from go' },
  {
    sample: 'java-maven-plain',
    file: 'src/main/java/com/example/hello/App.java',
    word: 'hello from java',
    dependencies: 'dependency:copy-dependencies',
  },
  { sample: 'rust-plain', file: 'src/main.rs', word: 'hello from rust', dependencies: 'RUN cargo build', classic: true },
]

/** Runs an image as clusters do that choose users themselves. @returns its address on this machine */
async function runAsAnyUser(engine: Engine, image: string, port: number): Promise<string> {
  const { Id } = await engine.json<{ Id: string }>({
    method: 'POST',
    path: '/containers/create',
    body: {
      Image: image,
      User: '1000650000:0',
      HostConfig: {
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        PortBindings: { [`${port}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '' }] },
      },
    },
  })
  onTestFinished(async () => {
    const removed = await engine.stream({ method: 'DELETE', path: `/containers/${Id}`, query: { force: '1' } })
    removed.resume()
  })
  const started = await engine.stream({ method: 'POST', path: `/containers/${Id}/start` })
  started.resume()
  const { NetworkSettings } = await engine.json<{ NetworkSettings: { Ports: Record<string, { HostPort: string }[] | null> } }>({
    method: 'GET',
    path: `/containers/${Id}/json`,
  })
  return `http://127.0.0.1:${NetworkSettings.Ports[`${port}/tcp`]?.[0]?.HostPort}`
}

test.each(kinds)(
  '$sample: the image for production runs as any user',
  async ({ sample, file, word, dependencies, classic }) => {
    const own = await baseImages(['python', 'go', 'java', 'maven', 'java-run', 'rust', 'static', 'cc'])
    const place = await buildPlace()
    await cp(join(repository, 'test/fixtures/init', sample), place.context, { recursive: true })
    const plan = planInit({ tree: readSourceTree(place.context), rootName: sample, bases: makeBases({ own: [own] }) })
    const [component] = plan.components
    const text = component?.dockerfile.text ?? ''
    const wishes = { env: { DOCKER_BUILDKIT: classic ? '0' : '1' } }

    const first = await place.build(text, wishes)
    const { Config } = await place.engine.json<{ Config: { User: string } }>({
      method: 'GET',
      path: `/images/${encodeURIComponent(first.image.ref)}/json`,
    })
    expect(Config.User).toBe('1001')
    await answers(await runAsAnyUser(place.engine, first.image.ref, component?.port?.number ?? 0), word, 60_000)

    if (dependencies === undefined) return
    await place.put(file, (await readFile(join(place.context, file), 'utf8')).replace(word, 'changed'))
    const second = await place.build(text, wishes)
    const step = second.steps.filter(({ name }) => name.includes(dependencies)).at(-1)
    expect([step?.name, step?.state]).toEqual([expect.any(String), 'cached'])
    await answers(await runAsAnyUser(place.engine, second.image.ref, component?.port?.number ?? 0), 'changed', 60_000)
  },
  400_000,
)
