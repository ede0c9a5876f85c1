// How images reach the nodes where no registry is known: the one table of what each local product needs, and doing it.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DevloopError } from '../../errors/devloop-error.js'
import type { BuildProgress, EngineBuilder, EngineIdentity } from '../../ports/image-builder.js'
import type { KubeConnection } from './connection.js'

/** What is known of a cluster's nodes. */
export interface NodeFacts {
  readonly name: string
  /** Such as `containerd://1.7.2`. */
  readonly runtime: string
  /** Names of images that it has; kubelets list the 50 largest only. */
  readonly images: readonly string[]
}

/** `shared`: the engine's images are the nodes'. `load`: by a command, in which `{archive}` is the file. */
export type Delivery = { readonly kind: 'shared' } | { readonly kind: 'load'; readonly command: readonly string[] }

interface Product {
  /** What the engine calls its system where it is the product's own, whose images its nodes see. */
  readonly system?: string
  /** Undefined = only the product's own engine does. @param cluster the name that the product has for it */
  readonly load?: (cluster: string) => readonly string[]
}

/**
 * By the names of local-clusters.ts. Archives rather than names of images, since the engine may be another than the one that the
 * product's command would ask (Podman, one behind ssh), and needs no docker command.
 */
const products: Readonly<Record<string, Product>> = {
  kind: { load: (cluster) => ['kind', 'load', 'image-archive', '{archive}', '--name', cluster] },
  k3d: { load: (cluster) => ['k3d', 'image', 'import', '{archive}', '--cluster', cluster] },
  minikube: { load: (cluster) => ['minikube', 'image', 'load', '{archive}', '--profile', cluster] },
  microk8s: { load: () => ['microk8s', 'ctr', 'image', 'import', '{archive}'] },
  'docker-desktop': { system: 'Docker Desktop' },
  orbstack: { system: 'OrbStack' },
  'rancher-desktop': { load: () => ['nerdctl', '--namespace', 'k8s.io', 'load', '--input', '{archive}'] },
  colima: {
    load: (cluster) => [
      'sh',
      '-c',
      `colima ssh --profile ${cluster} -- sudo ctr --namespace k8s.io images import - < "$0"`,
      '{archive}',
    ],
  },
}

/** What the product calls a cluster, from the context that it wrote: `kind-dev` is `dev`, `minikube` is `minikube`. */
export function clusterName(product: string, context: string): string {
  if (product === 'kind' || product === 'k3d') return context.replace(new RegExp(`^${product}-`), '')
  if (product === 'colima') return context.replace(/^colima-/, '') === 'colima' ? 'default' : context.replace(/^colima-/, '')
  return context
}

/** Undefined where nothing is known that would do. */
export function chooseDelivery(
  product: string | undefined,
  context: string,
  engine: EngineIdentity,
  nodes: readonly NodeFacts[],
): Delivery | undefined {
  // an engine that is a node itself, whatever product made it
  const isNode = nodes.length === 1 && nodes[0]?.runtime.startsWith('docker://') && nodes[0].name === engine.name
  const known = product === undefined ? undefined : products[product]
  if (isNode || (known?.system !== undefined && known.system === engine.system)) return { kind: 'shared' }
  const cluster = clusterName(product ?? '', context)
  // it becomes part of commands
  if (!known?.load || !/^[\w][\w.-]*$/.test(cluster)) return undefined
  return { kind: 'load', command: known.load(cluster) }
}

/** The nodes of the cluster; empty where they may not be listed. @throws DevloopError cluster/* */
export async function listNodes(connection: KubeConnection, signal: AbortSignal): Promise<readonly NodeFacts[]> {
  const { items } = (await connection.request('GET', '/api/v1/nodes', { what: 'ask for the nodes', signal })) as {
    items: {
      metadata: { name: string }
      status?: { nodeInfo?: { containerRuntimeVersion?: string }; images?: { names?: string[] }[] }
    }[]
  }
  return items.map(({ metadata, status }) => ({
    name: metadata.name,
    runtime: status?.nodeInfo?.containerRuntimeVersion ?? '',
    images: (status?.images ?? []).flatMap(({ names }) => names ?? []),
  }))
}

/** Whether every node says that it has an image; "no" may be a mistake. */
export const isOnNodes = (reference: string, nodes: readonly NodeFacts[]): boolean =>
  nodes.length > 0 &&
  nodes.every(({ images }) => images.some((name) => name.replace(/^docker\.io\/(library\/)?/, '') === reference))

/** Save an image and load it into the nodes. @throws DevloopError build/load, engine/*; AbortError */
export async function loadImage(
  builder: Pick<EngineBuilder, 'save'>,
  reference: string,
  command: readonly string[],
  progress: Pick<BuildProgress, 'step' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'devloop-load-'))
  const step = { id: 'load', name: `[load] ${reference}: ${command.join(' ')}`, startedAt: Date.now() }
  progress.step({ ...step, state: 'running' })
  try {
    const archive = path.join(folder, 'image.tar')
    await builder.save(reference, archive, signal)
    await runCommand(
      command.map((word) => (word === '{archive}' ? archive : word)),
      progress.log,
      signal,
    )
    progress.step({ ...step, state: 'done', finishedAt: Date.now() })
  } catch (error) {
    progress.step({ ...step, state: 'failed', finishedAt: Date.now() })
    throw error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function runCommand(command: readonly string[], log: (line: string) => void, signal: AbortSignal): Promise<void> {
  const [program = '', ...args] = command
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], signal })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-4000)
        for (const line of text.split('\n')) if (line.trim() !== '') log(line)
      })
    }
    const failed = (why: string): DevloopError =>
      new DevloopError('build/load', `\`${[program, ...args].join(' ')}\` did not load the image into the cluster's nodes.`, {
        why,
      })
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (signal.aborted) reject(error)
      else reject(failed(error.code === 'ENOENT' ? `${program} is not installed, or not in PATH.` : error.message))
    })
    child.on('close', (code, killedBy) => {
      if (code === 0) resolve()
      else reject(failed(`It ended with ${killedBy ?? `exit code ${code}`}.${output.trim() ? `\n${output.trim()}` : ''}`))
    })
  })
}
