// A real devloop: the built command line in a child process, with folders of its own, and a client connected to it.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { connectDevloop, findDaemon, type DevloopClient } from '../../src/client/index.js'
import type { ChangeView, ResourceView, SessionView } from '../../src/protocol/messages.js'
import { waitFor } from './wait-for.js'

export const repository = fileURLToPath(new URL('../..', import.meta.url))
/** DEVLOOP_TEST_CLI names another build of it. */
export const cli = process.env.DEVLOOP_TEST_CLI ?? join(repository, 'dist/cli.js')

/** A folder with files in it, removed after the test. The names are paths. */
export async function project(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'devloop-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  for (const [name, text] of Object.entries(files)) await put(join(folder, name), text)
  return folder
}

export async function put(file: string, text: string | Buffer): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  /** All that it has printed. */
  output(): string
  readonly ended: Promise<Ended>
}

/** Folders for state and sockets that belong to one test. */
export async function homes(): Promise<Record<string, string>> {
  const home = await mkdtemp(join(tmpdir(), 'dl-'))
  onTestFinished(() => rm(home, { recursive: true, force: true, maxRetries: 5 }))
  const env = { XDG_STATE_HOME: join(home, 'state'), XDG_RUNTIME_DIR: join(home, 'run') }
  for (const folder of Object.values(env)) await mkdir(folder, { mode: 0o700 })
  return env
}

/** Start `devloop ARGS`. It is killed after the test, if it still runs. */
export function start(
  args: readonly string[],
  options: {
    cwd: string
    env: Readonly<Record<string, string>>
    /** A program and arguments that run the command line that follows them. */
    through?: readonly string[]
  },
): Running {
  const [through, ...before] = [...(options.through ?? []), process.execPath]
  const child = spawn(through ?? '', [...before, cli, ...args], {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT')
    const killer = setTimeout(() => child.kill('SIGKILL'), 8000)
    await ended
    clearTimeout(killer)
  })
  return { child, output: () => stdout + stderr, ended }
}

export const run = (args: readonly string[], options: { cwd: string; env: Readonly<Record<string, string>> }): Promise<Ended> =>
  start(args, options).ended

export interface Watching extends Running {
  readonly client: DevloopClient
  resource(name: string): ResourceView | undefined
  session(): SessionView | undefined
  changes(): ChangeView[]
  /** Wait until a resource is as asked; the error tells all that was printed. */
  until(name: string, is: (view: ResourceView) => boolean, timeoutMs?: number): Promise<ResourceView>
  ready(timeoutMs?: number): Promise<void>
}

/** `devloop watch` with a client. */
export async function watch(
  args: readonly string[],
  options: { cwd: string; env: Readonly<Record<string, string>>; file?: string; through?: readonly string[] },
): Promise<Watching> {
  const running = start(['watch', ...args], options)
  const devloopfile = join(options.cwd, options.file ?? 'Devloopfile.ts')
  const dirs = [join(options.env.XDG_RUNTIME_DIR ?? '', 'devloop')]
  const client = connectDevloop({
    endpoint: () => findDaemon({ devloopfile, dirs }),
    name: 'test',
    backoff: { minMs: 20, maxMs: 100 },
  })
  onTestFinished(() => client.close())
  const told = async <T>(wait: Promise<T>, what: string): Promise<T> =>
    wait.catch((thrown: unknown) => {
      throw new Error(
        `${what}: ${String(thrown)}\n${JSON.stringify(
          [...client.views().values()].filter((view) => view.kind !== 'change'),
          undefined,
          1,
        )}\n${running.output()}`,
      )
    })
  await told(client.whenOpen({ timeoutMs: 20_000 }), 'the daemon did not start')
  const resource = (name: string): ResourceView | undefined => client.get('resource', name)
  return {
    ...running,
    client,
    resource,
    session: () => client.get('session', 'session'),
    changes: () => [...client.views().values()].filter((view) => view.kind === 'change'),
    until: (name, is, timeoutMs = 30_000) =>
      told(
        client.waitFor(
          (views) => {
            const view = views.get(`resource/${name}`) as ResourceView | undefined
            return view && is(view) ? view : undefined
          },
          { timeoutMs },
        ),
        `${name} was not as expected`,
      ),
    ready: async (timeoutMs = 60_000) => {
      await told(
        client.waitFor((views) => (views.get('session/session') as SessionView | undefined)?.ready, { timeoutMs }),
        'not everything became ready',
      )
    },
  }
}

/** What an address answers, as soon as it is what is expected. */
export async function answers(url: string, expected: string | RegExp, timeoutMs = 20_000): Promise<string> {
  let last = ''
  await waitFor(
    async () => {
      last = await fetch(url).then(
        (response) => response.text(),
        (error: unknown) =>
          error instanceof Error && error.cause instanceof Error ? `${String(error)} ${String(error.cause)}` : String(error),
      )
      return typeof expected === 'string' ? last === expected : expected.test(last)
    },
    { timeoutMs, what: `${url} to answer ${String(expected)}` },
  ).catch((thrown: unknown) => {
    throw new Error(`${String(thrown)}; it answered ${last}`)
  })
  return last
}
