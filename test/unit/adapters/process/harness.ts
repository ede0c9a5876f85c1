// A process runtime on a temporary state folder, with what tests need to drive it as the engine does.
import { createHash } from 'node:crypto'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createProcessRunner } from '../../../../src/adapters/process/process-runner.js'
import { openProcessRuntime } from '../../../../src/adapters/process/process-runtime.js'
import type { BuildRecord } from '../../../../src/model/build-record.js'
import type { AppSpec, ImageSpec, LiveRule, TextValue } from '../../../../src/model/plan.js'
import type { Entry, Tree } from '../../../../src/model/tree.js'
import type { Deployed, Observed, Runtime } from '../../../../src/ports/runtime.js'
import type { SyncOp, SyncSession } from '../../../../src/ports/sync-transport.js'
import { waitFor } from '../../../support/wait-for.js'
import { plainGraph } from '../../../support/plain-graph.js'

export const at = { file: '/project/Devloopfile.ts', line: 1 }
export const never = new AbortController().signal
export const literal = (text: string): TextValue => [{ kind: 'literal', text }]
export const sync = (from: string, to: string): LiveRule => ({ kind: 'sync', from, to, at })

/** A server that answers `GREETING` from src/greeting.txt; `/env/NAME` gives a variable, `/pid` its process id, `/exit/N` ends it. */
export const serverSource = `
const { readFileSync } = require('node:fs')
const greeting = readFileSync(__dirname + '/greeting.txt', 'utf8')
if (greeting.startsWith('crash')) { console.log('bad greeting'); process.exit(3) }
require('node:http').createServer((request, response) => {
  const [, what, name] = request.url.split('/')
  if (what === 'exit') process.exit(Number(name))
  if (what === 'say') console.log(name)
  if (what === 'file') return response.end(readFileSync(process.cwd() + '/' + name))
  response.end(what === 'env' ? String(process.env[name]) : what === 'pid' ? String(process.pid) : greeting)
}).listen(process.env.PORT, '127.0.0.1', () => console.log('listening'))
`

export interface Harness {
  readonly dir: string
  readonly stateDir: string
  readonly runtime: Runtime
  /** Newest observation by resource. */
  readonly observed: Map<string, Observed>
  /** Open the same state folder again, as a restarted daemon does. */
  reopen(): Promise<void>
  write(path: string, content: string, mode?: number): void
  link(path: string, target: string): void
  image(spec?: Partial<ImageSpec>): ImageSpec
  build(image?: ImageSpec): Promise<BuildRecord>
  app(spec?: Partial<AppSpec>): AppSpec
  deploy(app: AppSpec, record?: BuildRecord, others?: readonly AppSpec[]): Promise<Deployed>
  ready(resource: string): Promise<Observed>
  fetch(resource: string, path?: string): Promise<string>
  session(resource: string, roots?: readonly string[]): Promise<SyncSession>
  close(): Promise<void>
}

export async function createHarness(): Promise<Harness> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'devloop-process-')))
  const stateDir = join(dir, 'state')
  const context = join(dir, 'context')
  const observed = new Map<string, Observed>()
  const deployedApps = new Map<string, AppSpec>()
  mkdirSync(context)
  const open = async (): Promise<Runtime> => {
    observed.clear()
    const opened = await openProcessRuntime({ processes: createProcessRunner() })(
      { project: 'shop', instance: `test-${process.pid}`, cluster: { contexts: [] }, stateDir },
      never,
    )
    opened.observe(
      (one) => observed.set(one.resource, one),
      () => {},
    )
    return opened
  }
  let runtime = await open()

  const harness: Harness = {
    dir,
    stateDir,
    get runtime() {
      return runtime
    },
    observed,
    async reopen() {
      await runtime.close()
      runtime = await open()
    },
    write(path, content, mode = 0o644) {
      mkdirSync(dirname(join(context, path)), { recursive: true })
      writeFileSync(join(context, path), content)
      chmodSync(join(context, path), mode)
    },
    link(path, target) {
      mkdirSync(dirname(join(context, path)), { recursive: true })
      symlinkSync(target, join(context, path))
    },
    image: (spec = {}) => ({
      name: 'shop/api',
      context,
      dockerfile: { inline: 'FROM node:20-alpine\nWORKDIR /app\n' },
      args: {},
      live: [sync('src', '/app/src')],
      at,
      ...spec,
    }),
    async build(image = harness.image()) {
      const tree = scan(image.context)
      const built = await runtime.builder.build(
        { image, tree, inputs: 'x', registry: undefined, platform: undefined },
        progress,
        never,
      )
      return { image: image.name, runtime: 'process', inputs: 'x', tree, builtAt: Date.now(), ...built }
    },
    app: (spec = {}) => ({
      kind: 'app',
      name: 'api',
      image: { built: 'shop/api' },
      ports: { http: 8080 },
      env: {},
      replicas: 1,
      process: { command: ['node', 'src/server.js'] },
      ...plainGraph,
      forward: [],
      at,
      ...spec,
    }),
    deploy(app, record, others = []) {
      deployedApps.set(app.name, app)
      const apps = Object.fromEntries([app, ...others].map((one) => [one.name, one]))
      return runtime.deploy(
        { resource: app, images: record ? { [record.image]: record } : {}, restartable: new Set(), apps },
        never,
      )
    },
    ready: (resource) =>
      waitFor(
        () => {
          const now = observed.get(resource)
          return now?.rolledOut && now.pods.every((pod) => pod.ready) ? now : undefined
        },
        { what: `${resource} to be ready; it is ${JSON.stringify(observed.get(resource))}`, timeoutMs: 10_000, everyMs: 5 },
      ),
    async fetch(resource, path = '/') {
      const pod = observed.get(resource)?.pods.at(-1)
      const port = Object.values(deployedApps.get(resource)?.ports ?? {})[0]
      if (!pod || port === undefined) throw new Error(`${resource} has no pod or port`)
      const socket = await runtime.dial(pod, port, never)
      let answer = ''
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
      socket.write(`GET ${path} HTTP/1.0\r\n\r\n`)
      await new Promise((resolve, reject) => socket.once('close', resolve).once('error', reject))
      return answer.slice(answer.indexOf('\r\n\r\n') + 4)
    },
    session(resource, roots = ['/app/src']) {
      const pod = observed.get(resource)?.pods.at(-1)
      const container = pod?.containers[0]
      if (!pod || !container) throw new Error(`${resource} has no pod`)
      const target = { containerId: container.containerId, namespace: pod.namespace, pod: pod.name, container: container.name }
      return runtime.sync.open(target, roots, never)
    },
    async close() {
      await runtime.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
  return harness
}

const progress = { step: () => {}, log: () => {}, stage: () => {}, sent: () => {} }

export const file = (path: string, text: string, mode = 0o644): SyncOp => ({
  op: 'file',
  path,
  mode,
  size: Buffer.byteLength(text),
  hash: sha256(text),
  content: () => Promise.resolve(Buffer.from(text)),
})

export const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex')

function scan(folder: string): Tree {
  const tree = new Map<string, Entry>()
  for (const found of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const full = join(found.parentPath, found.name)
    const path = full.slice(folder.length + 1)
    if (found.isSymbolicLink()) tree.set(path, { kind: 'link', target: readlinkSync(full) })
    else if (found.isFile()) {
      const content = readFileSync(full)
      tree.set(path, { kind: 'file', hash: sha256(content), mode: lstatSync(full).mode & 0o777, size: content.length })
    }
  }
  return tree
}
