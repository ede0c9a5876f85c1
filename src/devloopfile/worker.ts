// Entry of the worker thread that evaluates one Devloopfile and ends. Built as dist/devloopfile-worker.js.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { parentPort } from 'node:worker_threads'
import type * as Yaml from 'yaml'
import { callPosition, sessionKey, type Session } from './api/session.js'
import { insideOf, usageErrorKey, type UsageError } from './api/values.js'
import type { Choice } from '../model/plan.js'
import { ComposeError, composeProject } from './compose/compose.js'
import { collect } from './worker/collect.js'
import { createComposeHost } from './worker/compose-host.js'
import { createOutputLines } from './worker/output-lines.js'
import { createSourcePlaces, type SourcePlaces } from './worker/source-places.js'
import { moduleMetaName, type Failure, type Job, type WorkerMessage } from './worker-messages.js'

const post = (message: WorkerMessage): void => parentPort?.postMessage(message)

// `once`: without a listener the port keeps nothing alive, so that a promise that can never settle ends the thread by itself.
parentPort?.once('message', (job: Job) => void evaluate(job))

async function evaluate(job: Job): Promise<void> {
  const output = createOutputLines((text) => post({ type: 'line', text }))
  process.stdout.write = output.write
  process.stderr.write = output.write
  const places = createSourcePlaces(job)
  const finish = (message: WorkerMessage): void => {
    output.flush()
    post(message)
  }
  const fail = (failure: Failure): void => finish({ type: 'failed', failure })
  process.on('unhandledRejection', (reason) => fail(describeThrown(reason, places, 'unhandled')))
  process.on('uncaughtException', (thrown) => fail(describeThrown(thrown, places, 'threw')))
  const choices: Record<string, Choice> = {}
  provideSession(places, (name, preferred) => (choices[name] = job.choices?.[name] ?? preferred))
  provideModuleMeta()
  ;(globalThis as { require?: NodeJS.Require }).require = createRequire(job.file)
  interceptExit(fail)
  try {
    const module = (await import(job.bundle)) as { default?: unknown }
    const inside = insideOf(module.default)
    if (inside?.kind !== 'devloopfile') {
      return fail({ kind: 'export', ...('default' in module ? { received: describeExport(module.default) } : {}) })
    }
    const body: unknown = inside.body
    const project: unknown = typeof body === 'function' ? await (body as (context: unknown) => unknown)(freezeContext(job)) : body
    const declaration = { ...collect(project, inside.at), choices }
    // A rejection that nobody handles is told only after this turn of the loop: it goes before a result.
    setImmediate(() => finish({ type: 'declared', declaration }))
  } catch (error) {
    fail(describeThrown(error, places, 'threw'))
  }
}

const freezeContext = ({ context }: Job): Job['context'] => Object.freeze({ ...context, args: Object.freeze([...context.args]) })

function provideSession(places: SourcePlaces, choose: Session['choose']): void {
  let yaml: typeof Yaml | undefined
  // Not imported above: most Devloopfiles read no YAML themselves, and it would cost each of them 20 ms. The bundler, by which
  // this file always goes, puts the package in.
  const loadYaml = (): typeof Yaml => (yaml ??= require('yaml') as typeof Yaml)
  const noteRead = (file: string): void => post({ type: 'read', file })
  const session: Session = {
    locate: places.locate,
    choose,
    read(path) {
      noteRead(path)
      return readFileSync(path, 'utf8')
    },
    compose: (request) => composeProject(request, createComposeHost(loadYaml(), noteRead)),
    parseYaml(text, file) {
      const document = loadYaml().parseDocument(text, { prettyErrors: true })
      const [error] = document.errors
      if (error) throw new Error(`${firstLine(error.message)} of ${file}.`)
      return document.toJS() as unknown
    },
  }
  Object.assign(globalThis, { [sessionKey]: session })
}

const firstLine = (text: string): string => (text.split('\n')[0] ?? '').replace(/:$/, '').replace(/; please use .*?\(\)/, '')

/** `import.meta`, `__dirname` and `__filename` of each module, by the place that reads them; the bundler puts these in their stead. */
function provideModuleMeta(): void {
  const at = (api: () => unknown): string => callPosition(api).file
  const meta = Object.defineProperties(
    {},
    Object.fromEntries(
      Object.entries({ url: (file: string) => pathToFileURL(file).href, dirname, filename: (file: string) => file }).map(
        ([key, of]) => {
          const get = (): string => of(at(get))
          return [key, { get, enumerable: true }]
        },
      ),
    ),
  )
  Object.assign(globalThis, { [moduleMetaName]: meta })
}

function interceptExit(fail: (failure: Failure) => void): void {
  const exit = process.exit.bind(process)
  const leave = (code?: number | string | null): never => {
    fail({ kind: 'exit', code: Number(code ?? process.exitCode ?? 0), at: callPosition(leave) })
    return exit(0)
  }
  process.exit = leave
}

function describeThrown(thrown: unknown, places: SourcePlaces, kind: 'threw' | 'unhandled'): Failure {
  if (thrown instanceof Error && usageErrorKey in thrown) {
    const { message, help, at, file } = thrown as UsageError
    return { kind: 'usage', message, help, at, file }
  }
  if (thrown instanceof ComposeError) return { kind: 'problems', problems: thrown.problems }
  const at = places.thrownAt(thrown)
  return { kind, message: textOf(thrown), causes: causesOf(thrown), ...(at ? { at } : {}) }
}

function textOf(thrown: unknown): string {
  const text =
    thrown instanceof Error
      ? thrown.name === 'Error'
        ? thrown.message
        : `${thrown.name}: ${thrown.message}`
      : inspect(thrown, { depth: 1, breakLength: Infinity })
  return text.length > 2_000 ? `${text.slice(0, 2_000)}...` : text
}

function causesOf(thrown: unknown): readonly string[] {
  const causes: string[] = []
  const inner: unknown[] = thrown instanceof AggregateError ? [...(thrown.errors as unknown[])] : []
  for (
    let cause: unknown = (thrown as { cause?: unknown } | null)?.cause;
    cause !== null && cause !== undefined && inner.length < 5;
    cause = (cause as { cause?: unknown }).cause
  ) {
    inner.push(cause)
  }
  for (const one of inner.slice(0, 5)) causes.push(textOf(one))
  return causes
}

function describeExport(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  const inside = insideOf(value)
  if (inside) return `what ${inside.kind === 'resource' ? inside.type : inside.kind}() made`
  return value !== null && typeof value === 'object' ? 'an object' : String(value)
}
