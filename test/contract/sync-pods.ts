// Real pods that a sync transport writes into, and looking at them by other means than the transport's.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { extract } from 'tar-stream'
import type { KubeConnection } from '../../src/adapters/kube/connection.js'
import { openExec } from '../../src/adapters/kube/sync/exec.js'
import type { Entry } from '../../src/model/tree.js'
import type { SyncSession, TargetRef } from '../../src/ports/sync-transport.js'
import { proxiedCluster, testConnection } from '../support/cluster.js'
import { waitFor } from '../support/wait-for.js'
import type { SyncFixture } from './sync-transport.js'

const never = new AbortController().signal

/** A pod whose one container is called `main`. */
export interface SyncPod {
  readonly image: string
  readonly command?: readonly string[] | undefined
  /** More of the pod's spec. */
  readonly spec?: object
  /** More of the container. */
  readonly container?: object
}

export interface SyncPods<Name extends string> {
  /** The output of a script in a container, by an exec of its own. `input` is its standard input. */
  script(target: TargetRef, script: string, input?: Buffer): Promise<Buffer>
  /** A folder of its own in a container, with a session through a proxy that can cut it. `open` gets the connection through it. */
  fixture(target: TargetRef, open: (through: KubeConnection, root: string) => Promise<SyncSession>): Promise<SyncFixture>
  /** The lines `started ...` of a pod's log, when there are so many. */
  startedLines(pod: Name, count: number, container?: string): Promise<string[]>
  /** How often Kubernetes started the pod's containers again. */
  restartCount(pod: Name): Promise<number>
}

interface PodStatus {
  readonly phase?: string
  readonly initContainerStatuses?: readonly { readonly name: string; readonly state: { readonly running?: object } }[]
  readonly containerStatuses?: readonly { readonly restartCount: number }[]
}

/**
 * Start pods and wait until they run.
 * @param onInit called for each pod when its init container `wait` runs, where it has one
 */
export async function startPods<Name extends string>(
  connection: KubeConnection,
  namespace: string,
  pods: Readonly<Record<Name, SyncPod>>,
  onInit?: (pods: SyncPods<Name>, name: Name) => Promise<void>,
): Promise<SyncPods<Name>> {
  const names = Object.keys(pods) as Name[]
  const path = `/api/v1/namespaces/${namespace}/pods`
  const status = async (name: Name): Promise<PodStatus> =>
    ((await connection.request('GET', `${path}/${name}`)) as { status: PodStatus }).status
  const made = createPods<Name>(connection, path, status)
  for (const name of names) {
    const { image, command, spec, container } = pods[name]
    await connection.request('POST', path, {
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'main', image, ...(command ? { command } : {}), ...container }],
          ...spec,
        },
      },
    })
  }
  if (onInit)
    for (const name of names) {
      await waitFor(
        async () =>
          (await status(name)).initContainerStatuses?.some((one) => one.name === 'wait' && one.state.running !== undefined),
        { what: `the init container of pod ${name}`, timeoutMs: 90_000, everyMs: 200 },
      )
      await onInit(made, name)
    }
  for (const name of names)
    await waitFor(async () => (await status(name)).phase === 'Running', {
      what: `pod ${name} to run`,
      timeoutMs: 90_000,
      everyMs: 200,
    })
  return made
}

let folders = 0

function createPods<Name extends string>(
  connection: KubeConnection,
  path: string,
  status: (name: Name) => Promise<PodStatus>,
): SyncPods<Name> {
  const script = async (target: TargetRef, text: string, input?: Buffer): Promise<Buffer> => {
    const stream = await openExec(connection, target, ['sh', '-c', text], { stdin: input !== undefined, signal: never })
    const output: Buffer[] = []
    const errors: Buffer[] = []
    stream.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    stream.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
    if (input) stream.stdin.write(input)
    const end = await stream.ended
    if (end.kind === 'failed') throw end.error
    if (end.exitCode !== 0) throw new Error(`${text} ended with ${end.exitCode}: ${Buffer.concat(errors).toString()}`)
    return Buffer.concat(output)
  }
  return {
    script,
    async fixture(target, openOn) {
      const folder = `/tmp/case-${folders++}`
      const root = `${folder}/root`
      await script(target, `mkdir -p ${root}`)
      const proxied = await proxiedCluster()
      const through = await testConnection(proxied.kubeconfig.file)
      const open = (): Promise<SyncSession> => openOn(through, root)
      const session = await open()
      const sessions = [session]
      return {
        session,
        root,
        readTree: async () => treeOf(await script(target, `tar -C ${root} -cf - .`)),
        shell: async (text) => (await script(target, `ROOT=${root}\n${text}`)).toString('utf8'),
        async reopen() {
          const again = await open()
          sessions.push(again)
          return again
        },
        cut: () => proxied.proxy.drop(),
        async close() {
          for (const one of sessions) await one.close()
          through.close()
          await proxied.close()
          await script(target, `rm -rf ${folder}`)
        },
      }
    },
    startedLines: (pod, count, container = 'main') =>
      waitFor(
        async () => {
          const stream = await connection.stream(`${path}/${pod}/log`, { query: { container } })
          let text = ''
          for await (const chunk of stream.setEncoding('utf8')) text += String(chunk)
          const lines = text.split('\n').filter((line) => line.startsWith('started '))
          return lines.length >= count ? lines : undefined
        },
        { what: `line ${count} of the log of ${pod}`, everyMs: 100 },
      ),
    restartCount: async (pod) =>
      ((await status(pod)).containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
  }
}

async function treeOf(tar: Buffer): Promise<Map<string, Entry | { kind: 'folder' }>> {
  const tree = new Map<string, Entry | { kind: 'folder' }>()
  const entries = extract()
  Readable.from([tar]).pipe(entries)
  for await (const entry of entries) {
    const { name, type, linkname, mode, size } = entry.header
    const path = name.replace(/^\.\//, '').replace(/\/$/, '')
    if (type === 'directory' && path !== '' && path !== '.') tree.set(path, { kind: 'folder' })
    if (type === 'symlink') tree.set(path, { kind: 'link', target: linkname ?? '' })
    const hash = createHash('sha256')
    for await (const chunk of entry) hash.update(chunk as Buffer)
    if (type === 'file') tree.set(path, { kind: 'file', hash: hash.digest('hex'), mode: (mode ?? 0) & 0o777, size })
  }
  return tree
}
