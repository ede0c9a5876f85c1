// Builds on the real engine: a context folder and a repository of the test's own, and what a build told.
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { createEngineConnector, type Engine } from '../../src/adapters/docker/engine.js'
import { createDockerBuilder } from '../../src/adapters/docker/image-builder.js'
import { createProcessRunner } from '../../src/adapters/process/process-runner.js'
import type { ErrorInfo } from '../../src/errors/devloop-error.js'
import type { ImageSpec } from '../../src/model/plan.js'
import type { BuildRequest, BuildStep, BuiltImage, ImageBuilder, SentContext } from '../../src/ports/image-builder.js'
import { scanTree } from '../unit/adapters/docker/scan-tree.js'

/** A registry that has testbed/busybox:1, such as localhost:5000. */
export const registryHost = process.env['DEVLOOP_TEST_REGISTRY'] ?? ''
export const registry = { push: registryHost, pull: registryHost }
/** A base image with a shell and busybox's tools. */
export const base = `${registryHost}/testbed/busybox:1`

export interface Built {
  readonly image: BuiltImage
  /** As they were told, in order. */
  readonly steps: readonly BuildStep[]
  readonly lines: readonly string[]
  readonly sent: SentContext | undefined
}

export interface Wishes {
  readonly image?: Partial<ImageSpec>
  readonly request?: Partial<BuildRequest>
  readonly signal?: AbortSignal
  readonly onLine?: (line: string) => void
  /** Beside the environment of the test. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

export interface BuildPlace {
  readonly engine: Engine
  /** The folder that is the context. */
  readonly context: string
  readonly repository: string
  readonly builder: (env?: Wishes['env']) => ImageBuilder
  /** Build an inline Dockerfile. */
  build(dockerfile: string, wishes?: Wishes): Promise<Built>
  /** The error of a build that must fail. */
  failure(dockerfile: string, wishes?: Wishes): Promise<ErrorInfo>
  put(name: string, text: string): Promise<void>
}

/** Make the place. Images built there are removed after the test. */
export async function buildPlace(): Promise<BuildPlace> {
  if (registryHost === '') throw new Error('Set DEVLOOP_TEST_REGISTRY to a registry that has testbed/busybox:1.')
  const engine = await createEngineConnector(process.env)(new AbortController().signal)
  const context = await mkdtemp(path.join(tmpdir(), 'devloop-build-'))
  const repository = `devloop-test/${randomBytes(5).toString('hex')}`
  onTestFinished(async () => {
    const query = { filters: { label: [`dev.devloop.image=${repository}`] } }
    const images = await engine.json<{ Id: string }[]>({ method: 'GET', path: '/images/json', query })
    for (const { Id } of images) {
      const answer = await engine.stream({ method: 'DELETE', path: `/images/${Id}`, query: { force: '1' } })
      answer.resume()
    }
    await rm(context, { recursive: true })
  })
  const put: BuildPlace['put'] = async (name, text) => {
    await mkdir(path.dirname(path.join(context, name)), { recursive: true })
    await writeFile(path.join(context, name), text)
  }
  // no two tests may have the engine's cache in common
  await put('own.txt', `${repository}\n`)
  const builder: BuildPlace['builder'] = (env) =>
    createDockerBuilder({ env: { ...process.env, ...env }, processes: createProcessRunner() })
  const build: BuildPlace['build'] = async (dockerfile, wishes = {}) => {
    const [steps, lines]: [BuildStep[], string[]] = [[], []]
    let sent: SentContext | undefined
    const spec: ImageSpec = {
      name: repository,
      context,
      dockerfile: { inline: dockerfile },
      args: {},
      live: [],
      at: { file: '/shop/Devloopfile.ts', line: 3 },
      ...wishes.image,
    }
    const image = await builder(wishes.env).build(
      { image: spec, tree: scanTree(context), inputs: 'x', registry: undefined, platform: undefined, ...wishes.request },
      {
        step: (step) => void steps.push(step),
        stage: () => undefined,
        sent: (now) => (sent = now),
        log: (line) => {
          lines.push(line)
          wishes.onLine?.(line)
        },
      },
      wishes.signal ?? new AbortController().signal,
    )
    return { image, steps, lines, sent }
  }
  const failure: BuildPlace['failure'] = async (dockerfile, wishes) => {
    const thrown: unknown = await build(dockerfile, wishes).then(
      () => new Error('the build did not fail'),
      (error: unknown) => error,
    )
    const info = (thrown as { info?: ErrorInfo }).info
    if (!info) throw thrown
    return info
  }
  return { engine, context, repository, builder, build, failure, put }
}

/** Whether a process with exactly these arguments runs, also within a container: the engine is on this machine. */
export async function isRunning(...args: readonly string[]): Promise<boolean> {
  const wanted = `${args.join('\0')}\0`
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.includes(wanted)
}
