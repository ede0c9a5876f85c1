// What an engine is, looked at for `devloop doctor`: version, builder, clock, where it keeps its data, and whether it really builds.
import type { EngineWish } from '../../ports/image-builder.js'
import { imageLabel } from '../../model/image-labels.js'
import type { BuildJob } from './build-job.js'
import { buildWithBuildkit } from './buildkit-build.js'
import { buildWithClassic } from './classic-build.js'
import { textFile } from './context-files.js'
import type { Environment } from './docker-config.js'
import { createEngineConnector } from './engine.js'

export interface EngineReport {
  /** Of its machine; '' = it does not tell. */
  readonly name: string
  /** Such as `Docker Desktop`. */
  readonly system: string
  /** Such as `27.3.1`; '' = it does not tell. */
  readonly version: string
  readonly apiVersion: string
  /** Such as `unix:///var/run/docker.sock`. */
  readonly address: string
  readonly buildkit: boolean
  /** `os/arch` that it builds for when not told otherwise. */
  readonly platform: string
  /** How far its clock is ahead of this machine's, and how exactly that is known. Milliseconds. Undefined = it does not tell. */
  readonly clock?: { readonly aheadMs: number; readonly withinMs: number }
  /** The folder that it keeps images in, where that may be on this machine: it listens on a socket file. */
  readonly folder?: string
  /**
   * Build an image of one small file as any other is built, and remove it: over BuildKit, the file goes by a session.
   * @throws DevloopError engine/*, build/*; AbortError
   */
  tryBuild(signal: AbortSignal): Promise<void>
}

const probeName = 'devloop-doctor'
const dockerfile = 'FROM scratch\nCOPY doctor /doctor\n'

/** @throws DevloopError engine/*; AbortError */
export async function examineEngine(env: Environment, wish: EngineWish, signal: AbortSignal): Promise<EngineReport> {
  const engine = await createEngineConnector(env, wish)(signal)
  const asked = Date.now()
  const get = <T>(path: string): Promise<T> => engine.json<T>({ method: 'GET', path, signal })
  const [info, about] = await Promise.all([
    get<{ Name?: string; OperatingSystem?: string; SystemTime?: string; DockerRootDir?: string }>('/info'),
    get<{ Version?: string }>('/version'),
  ])
  const took = Date.now() - asked
  const theirs = Date.parse(info.SystemTime ?? '')
  const { endpoint } = engine
  return {
    name: info.Name ?? '',
    system: info.OperatingSystem ?? '',
    version: about.Version ?? '',
    apiVersion: engine.info.apiVersion,
    address: endpoint.address,
    buildkit: engine.info.buildkit,
    platform: engine.info.platform,
    ...(Number.isNaN(theirs) ? {} : { clock: { aheadMs: Math.round(theirs - asked - took / 2), withinMs: Math.ceil(took / 2) } }),
    ...(endpoint.socketPath && !endpoint.connect && info.DockerRootDir ? { folder: info.DockerRootDir } : {}),
    async tryBuild(within) {
      const build = engine.info.buildkit ? buildWithBuildkit : buildWithClassic
      const image = await build(engine, probeJob(), silent, within)
      // shared with whoever tries the same just now; what cannot be removed is some bytes
      await engine.json({ method: 'DELETE', path: `/images/${image}`, signal: within }).catch(() => undefined)
    },
  }
}

const silent = { step: () => undefined, log: () => undefined, stage: () => undefined, sent: () => undefined }

function probeJob(): BuildJob {
  const at = { file: 'Dockerfile', line: 1 }
  return {
    image: { name: probeName, context: '/', dockerfile: { inline: dockerfile }, args: {}, live: [], at },
    // never the same as the last time: the engine has to ask for it
    context: [textFile('doctor', `${Date.now()}\n`)],
    fileCount: 1,
    dockerfile,
    dockerfileInContext: undefined,
    query: { labels: { [imageLabel]: probeName, 'app.kubernetes.io/managed-by': 'devloop' } },
    secrets: new Map(),
    agents: new Map(),
    mask: (text) => text,
    credentials: async () => undefined,
  }
}
