// One project on the cluster: its files, a namespace and a forwarded port of its own, and what its pods really hold.
import type * as crypto from 'node:crypto'
import type * as fs from 'node:fs'
import { request } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openExec } from '../../src/adapters/kube/sync/exec.js'
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import { randomSuffix, testConnection, testImage, testNamespace, waitFor } from './cluster.js'
import { freePort } from './free-port.js'
import { answers, homes, project, put, run, watch, type Ended, type Watching } from './devloop.js'

/** A small web app: its word is read at the start, `/live` at each request. */
export const server = `
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
const read = (name) => readFileSync(new URL(name, import.meta.url), 'utf8').trim()
const word = read('./word.txt')
const routes = {
  '/': () => word,
  '/live': () => read('../public/live.txt'),
  '/pid': () => String(process.pid),
  '/pod': () => process.env.HOSTNAME,
  '/env': () => JSON.stringify(process.env),
  '/exit': () => process.exit(3),
}
const server = createServer((request, response) => {
  const route = routes[request.url]
  if (!route) return response.writeHead(404).end()
  response.setHeader('connection', 'close')
  response.end(route())
}).listen(Number(process.env.PORT ?? 8080), () => console.log('listening'))
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`

export const dockerfile = `ARG BASE
FROM \${BASE}
WORKDIR /app
COPY . .
CMD ["node", "src/server.js"]
`

/** What a Devloopfile of a test is written with. */
export interface Names {
  /** Name of the project, and of its image: `NAME/web`. */
  readonly name: string
  readonly namespace: string
  /** Base image with Node and a shell. */
  readonly base: string
  /** A free port of this machine. */
  readonly port: number
}

/** The live rules of \`devloopfile\`. */
export const rules = `[
  sync('src', '/app/src'),
  sync('public', '/app/public'),
  run('test ! -e public/broken || { echo the step is broken; exit 7; }', { on: 'public/**' }),
  restart({ on: 'src/**' }),
  rebuildOn('public/rebuild/**'),
]`

/** One app of the context `app`, with a forward. `over` are more settings of the app. */
export const devloopfile =
  (over = '', live = rules) =>
  ({ name, namespace, base, port }: Names): string =>
    `
import { app, defineDevloop, generated, image, manifests, rebuildOn, restart, run, sync, text } from 'devloop'
const web = image('${name}/web', { context: 'app', args: { BASE: '${base}' }, live: ${live} })
export default defineDevloop(() => ({
  name: '${name}',
  cluster: { contexts: ['*'], namespace: '${namespace}' },
  resources: [app('web', { image: web, ports: { http: 8080 }, forward: { http: ${port} }, ${over} })],
}))
`

export const appFiles: Readonly<Record<string, string>> = {
  'app/Dockerfile': dockerfile,
  'app/package.json': '{"type":"module"}',
  'app/src/server.js': server,
  'app/src/word.txt': 'one',
  'app/public/live.txt': 'first',
}

export interface Pod {
  readonly name: string
  readonly uid: string
  readonly image: string
  readonly containers: readonly { readonly name: string; readonly id: string; readonly restarts: number }[]
}

export interface Loop extends Names {
  readonly folder: string
  readonly env: Record<string, string>
  readonly connection: KubeConnection
  /** Start devloop and wait until all is ready. */
  begin(args?: readonly string[]): Promise<Watching>
  /** Start devloop. */
  watch(args?: readonly string[]): Promise<Watching>
  /** Run another command of devloop. */
  devloop(...args: string[]): Promise<Ended>
  save(name: string, text: string | Buffer): Promise<void>
  url(path?: string): string
  answers(expected: string | RegExp, path?: string, timeoutMs?: number): Promise<string>
  /** Pods of an app that are not on their way out, by name. */
  pods(resource?: string): Promise<readonly Pod[]>
  /** Run a command in a pod. */
  exec(pod: string, command: readonly string[], container?: string): Promise<{ code: number; stdout: string }>
  /** The same, for output that is no text. */
  execBytes(pod: string, command: readonly string[], container?: string): Promise<{ code: number; stdout: Buffer }>
  /** Every file and link below a folder of the project. */
  tree(local: string): Promise<Tree>
  /** Every file and link below a folder of a pod, read by a program of the image's. */
  treeOf(pod: string, remote: string, container?: string): Promise<Tree>
  /** Wait until a folder of a pod holds exactly what a folder of the project holds. */
  same(pod: string, local: string, remote: string, container?: string): Promise<void>
}

/** Path, and mode and hash or `link` and where it leads, of each file and link. */
export type Tree = readonly (readonly [path: string, ...what: string[]])[]

/** What only one of two trees holds, a line each. */
export function treeDifferences(here: Tree, there: Tree): string[] {
  const only = (some: Tree, others: Tree, where: string): string[] => {
    const known = new Set(others.map((one) => JSON.stringify(one)))
    return some
      .map((one) => JSON.stringify(one))
      .filter((line) => !known.has(line))
      .map((line) => `${where} only: ${line}`)
  }
  return [...only(here, there, 'here'), ...only(there, here, 'there')]
}

/** Make the project. Everything is removed after the test. */
export async function loop(
  options: {
    files?: Readonly<Record<string, string>>
    devloopfile?: (names: Names) => string
    env?: Readonly<Record<string, string>>
  } = {},
): Promise<Loop> {
  const namespace = await testNamespace('devloop-loop')
  onTestFinished(() => namespace.remove())
  const connection = await testConnection()
  onTestFinished(() => connection.close())
  const names: Names = {
    name: `loop-${randomSuffix()}`,
    namespace: namespace.name,
    base: await testImage(),
    port: await freePort(),
  }
  const folder = await project({
    'Devloopfile.ts': (options.devloopfile ?? devloopfile())(names),
    ...(options.files ?? appFiles),
  })
  const env = { ...(await homes()), ...options.env }
  const pods = `/api/v1/namespaces/${namespace.name}/pods`

  const execBytes: Loop['execBytes'] = async (pod, command, container = 'web') => {
    const signal = AbortSignal.timeout(30_000)
    const target = { containerId: '', namespace: namespace.name, pod, container }
    const stream = await openExec(connection, target, command, { stdin: false, signal })
    const chunks: Buffer[] = []
    stream.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.stderr.resume()
    const end = await stream.ended
    if (end.kind === 'failed') throw end.error
    return { code: end.exitCode, stdout: Buffer.concat(chunks) }
  }
  const exec: Loop['exec'] = async (...args) => {
    const { code, stdout } = await execBytes(...args)
    return { code, stdout: stdout.toString('utf8') }
  }
  let last: Watching | undefined
  const watchIt: Loop['watch'] = async (args = []) => (last = await watch(args, { cwd: folder, env }))
  /** What went wrong, with all that devloop told. */
  const told = async <T>(wait: Promise<T>): Promise<T> =>
    wait.catch((thrown: unknown) => {
      throw new Error(
        `${String(thrown)}\n${JSON.stringify([...(last?.client.views().values() ?? [])], undefined, 1)}\n${last?.output()}`,
      )
    })
  const treeOf: Loop['treeOf'] = async (pod, root, container) => {
    const { code, stdout } = await exec(pod, ['node', '-e', listTree, root], container)
    if (code !== 0) throw new Error(`the tree of ${pod} could not be read`)
    return JSON.parse(stdout) as Tree
  }

  return {
    ...names,
    folder,
    env,
    connection,
    watch: watchIt,
    async begin(args) {
      const watching = await watchIt(args)
      await watching.ready(90_000)
      return watching
    },
    devloop: (...args) => run(args, { cwd: folder, env }),
    save: (name, text) => put(join(folder, name), text),
    url: (path = '/') => `http://127.0.0.1:${names.port}${path}`,
    answers: (expected, path = '/', timeoutMs) => told(answers(`http://127.0.0.1:${names.port}${path}`, expected, timeoutMs)),
    async pods(resource = 'web') {
      const { items } = (await connection.request('GET', pods, {
        query: { labelSelector: `devloop.dev/resource=${resource}` },
      })) as { items: RawPod[] }
      return items
        .filter((one) => one.metadata.deletionTimestamp === undefined)
        .map(readPod)
        .sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    exec,
    execBytes,
    tree: (local) => Promise.resolve(localTree(join(folder, local))),
    treeOf,
    async same(pod, local, remote, container) {
      // both are read anew each time: with rules for both ways the local one may be the one that changes
      let wanted: Tree = []
      let found: Tree = []
      const wait = waitFor(
        async () => {
          found = await treeOf(pod, remote, container)
          wanted = localTree(join(folder, local))
          return JSON.stringify(found) === JSON.stringify(wanted)
        },
        { what: `${remote} of ${pod} to hold what ${local} holds`, everyMs: 100, timeoutMs: 20_000 },
      )
      await told(
        wait.catch((thrown: unknown) => {
          throw new Error([String(thrown), ...treeDifferences(wanted, found)].join('\n'))
        }),
      )
    },
  }
}

interface RawPod {
  metadata: { name: string; uid: string; deletionTimestamp?: string }
  spec: { containers: { image: string }[] }
  status: { containerStatuses?: { name: string; containerID?: string; restartCount: number }[] }
}

const readPod = ({ metadata, spec, status }: RawPod): Pod => ({
  name: metadata.name,
  uid: metadata.uid,
  image: spec.containers[0]?.image ?? '',
  containers: (status.containerStatuses ?? []).map((one) => ({
    name: one.name,
    id: one.containerID ?? '',
    restarts: one.restartCount,
  })),
})

/** Every file and link below a folder. It runs here, and as text in containers: it may use nothing but what it is given. */
const walkTree = (load: NodeJS.Require, root: string): Tree => {
  const { readdirSync, lstatSync, readFileSync, readlinkSync } = load('fs') as typeof fs
  const { createHash } = load('crypto') as typeof crypto
  const found: (readonly [string, ...string[]])[] = []
  const walk = (folder: string): void => {
    for (const name of readdirSync(root + folder)) {
      const path = `${folder}/${name}`
      const stat = lstatSync(root + path)
      if (stat.isDirectory()) walk(path)
      else if (stat.isSymbolicLink()) found.push([path, 'link', readlinkSync(root + path)])
      else {
        const hash = createHash('sha256').update(readFileSync(root + path))
        found.push([path, (stat.mode & 0o777).toString(8), hash.digest('hex')])
      }
    }
  }
  walk('')
  return found.sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Prints what is below a folder. */
const listTree = `process.stdout.write(JSON.stringify((${walkTree.toString()})(require, process.argv[1])))`

const localTree = (folder: string): Tree => walkTree(createRequire(import.meta.url), folder)

/** What an address answers at each moment at which a resource turns ready, from now on. */
export function answersWhenReady(watching: Watching, resource: string, url: string): { seen(): Promise<string[]> } {
  const asked: Promise<string>[] = []
  let ready = watching.resource(resource)?.ready ?? false
  const end = watching.client.onViews(() => {
    const now = watching.resource(resource)?.ready ?? false
    if (now && !ready)
      asked.push(
        fetch(url).then(
          (response) => response.text(),
          (error: unknown) => String(error),
        ),
      )
    ready = now
  })
  onTestFinished(end)
  return { seen: () => Promise.all(asked) }
}

/** Ask an address again and again, each time by a connection of its own, until stopped. */
export function poll(url: string): { stop(): Promise<{ answers: string[]; failures: string[] }> } {
  const answered: string[] = []
  const failures: string[] = []
  let stopped = false
  const once = (): Promise<void> =>
    new Promise((resolve) => {
      const asked = request(url, { agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => (text += part))
        response.on('error', (error) => (failures.push(String(error)), resolve()))
        response.on('end', () => (answered.push(text), resolve()))
      })
      asked.on('error', (error) => (failures.push(String(error)), resolve()))
      asked.end()
    })
  const done = (async () => {
    while (!stopped) {
      await once()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  const stop = async (): Promise<{ answers: string[]; failures: string[] }> => {
    stopped = true
    await done
    return { answers: answered, failures }
  }
  onTestFinished(async () => void (await stop()))
  return { stop }
}
