// The runtime without a cluster: apps are processes of this machine in staged folders.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, realpath } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { DevloopError, type ErrorInfo } from '../../errors/devloop-error.js'
import type { BuildRecord } from '../../model/build-record.js'
import type { AppSpec } from '../../model/plan.js'
import type { ProcessRunner } from '../../ports/process-runner.js'
import type { DeployableSpec, Deployed, DeployRequest, Observed, OpenRuntime, Runtime } from '../../ports/runtime.js'
import type { TargetRef } from '../../ports/sync-transport.js'
import { appEnv, createGenerated, inheritedEnv, type TextContext } from './app-env.js'
import { checkMain, underDebugger, type Main } from './app-debugger.js'
import { createAppPod, type AppPod } from './app-pod.js'
import { createConfigStore } from './config-store.js'
import { createTurns } from './in-turn.js'
import { accepts, createPortTable } from './port-table.js'
import { createStageBuilder } from './stage-builder.js'
import { inStage } from './stage-paths.js'
import { createStageStore, stageId } from './stage-store.js'
import { createStageSync } from './stage-sync.js'

export interface ProcessRuntimeParts {
  readonly processes: ProcessRunner
  /** What apps inherit; default: the environment of this process, without `DEVLOOP_*`. */
  readonly env?: Readonly<Record<string, string>>
}

type ProcessApp = AppSpec & { readonly process: NonNullable<AppSpec['process']> }

/** One app of the plan, as long as something of it runs. */
interface Entry {
  readonly inTurn: ReturnType<typeof createTurns>
  /** The pod that runs, and while a deploy prepares, the next one. */
  readonly pods: Set<AppPod>
  told: boolean
}

/** TERM to KILL, in an orderly end: the daemon has 5 s for all of its shutdown. */
const graceMs = 3000

/** The process runtime: `AppSpec.process` in a stage of the app's image. Nothing of an earlier run is left when it is opened. */
export function openProcessRuntime(parts: ProcessRuntimeParts): OpenRuntime {
  return async ({ project, instance, stateDir, onSecrets }, opening) => {
    opening.throwIfAborted()
    const stages = createStageStore(stateDir)
    await stages.sweep()
    const ports = createPortTable(`${project} ${instance}`)
    const generated = createGenerated(onSecrets)
    const configs = createConfigStore(onSecrets)
    const env = parts.env ?? inheritedEnv(process.env)
    const entries = new Map<string, Entry>()
    const closing = new AbortController()
    const deleting = new Set<Promise<void>>()
    let onObserved: (observed: Observed) => void = () => {}

    const entryOf = (resource: string): Entry => {
      const entry = entries.get(resource) ?? { inTurn: createTurns(), pods: new Set<AppPod>(), told: true }
      entries.set(resource, entry)
      return entry
    }

    const podOf = ({ containerId, pod }: TargetRef): AppPod | undefined => {
      const all = [...entries.values()].flatMap((entry) => [...entry.pods])
      const same = all.filter((one) => one.options.containerId === containerId)
      return same.find((one) => one.name === pod) ?? same.find(isHere)
    }
    /** The same container in a new pod is as good: what is written is its files. */
    const herePodOf = (target: TargetRef): AppPod | undefined => {
      const pod = podOf(target)
      return !pod || isHere(pod) ? pod : podOf({ ...target, pod: '' })
    }

    const podNamed = (name: string): { entry: Entry; pod: AppPod } | undefined => {
      for (const entry of entries.values()) for (const pod of entry.pods) if (pod.name === name) return { entry, pod }
      return undefined
    }

    /** Told once for all that changes in one go. */
    const tell = (resource: string): void => {
      const entry = entryOf(resource)
      if (!entry.told) return
      entry.told = false
      queueMicrotask(() => {
        entry.told = true
        if (!closing.signal.aborted) onObserved(observe(resource, [...entry.pods]))
      })
    }

    const drop = async (entry: Entry, pod: AppPod): Promise<void> => {
      const ended = pod.end(graceMs)
      tell(pod.options.app.name)
      await ended
      entry.pods.delete(pod)
      tell(pod.options.app.name)
    }

    /** The new pod takes the place, and the ports, of all others. */
    const replaceBy = async (entry: Entry, pod: AppPod): Promise<void> => {
      await Promise.all([...entry.pods].filter((other) => other !== pod).map((other) => drop(entry, other)))
      if (closing.signal.aborted) return
      // a start that failed is in the observed state, and tried again by itself
      await pod.process.start().catch(() => {})
    }

    const discardUnused = (stage: string): void => {
      const inUse = [...entries.values()].flatMap((entry) => [...entry.pods]).flatMap((pod) => pod.options.stage ?? [])
      const work = stages.discardOlder(stage, new Set(inUse), closing.signal).finally(() => deleting.delete(work))
      deleting.add(work)
    }

    const deploy = async (request: DeployRequest, signal: AbortSignal): Promise<Deployed> => {
      signal.throwIfAborted()
      const { resource, images, apps, sealed = {} } = request
      const assigned = new Map<string, Readonly<Record<string, number>>>()
      const context: TextContext = { portsOf: (name) => assigned.get(name), generated, configs: configs.get, sealed }
      if (resource.kind === 'config') {
        for (const [name, one] of Object.entries(apps)) assigned.set(name, await ports.assign({ ...one, name }))
        return configs.deploy(resource, request, context)
      }
      const app = processApp(resource)
      const entry = entryOf(app.name)
      for (const [name, one] of [[app.name, app] as const, ...Object.entries(apps)])
        assigned.set(name, await ports.assign({ ...one, name }))
      const record = 'built' in app.image ? images[app.image.built] : undefined
      if (record && !(await stages.isComplete(record.ref))) throw stageGone(app, record)
      const place = await placeOf(app, record, stateDir)
      const main = await underDebugger(app, appEnv(app, env, context), ports)
      const podEnv = main.env
      const ownPorts = assigned.get(app.name) ?? {}
      const template = templateOf(app, record, main, ownPorts)
      const deployed: Deployed = {
        objects: [`process/${app.name}`],
        templates: [template],
        warnings: [...notFollowed(app), ...main.warnings],
      }

      const running = [...entry.pods].find((pod) => pod.options.template === template && !pod.gone.aborted)
      if (running) {
        if (running.process.state.phase === 'failed') await running.process.restart().catch(() => {})
        return deployed
      }

      closing.signal.throwIfAborted()
      const pod = createAppPod({
        app,
        template,
        ...place,
        command: main.command,
        debugPort: main.port,
        env: podEnv,
        ports: ownPorts,
        processes: parts.processes,
        onChange: () => tell(app.name),
      })
      entry.pods.add(pod)
      tell(app.name)
      try {
        const { prepare } = app.process
        const calledOff = AbortSignal.any([signal, closing.signal])
        const run = (): Promise<void> => (prepare === undefined ? Promise.resolve() : pod.prepare(prepare, calledOff))
        await (record && prepare !== undefined ? stages.prepareOnce(record.ref, prepare, run) : run())
        await checkMain(app, main.command, place.cwd, podEnv)
        calledOff.throwIfAborted()
      } catch (thrown) {
        await drop(entry, pod)
        throw thrown
      }
      await replaceBy(entry, pod)
      if (record) discardUnused(record.ref)
      return deployed
    }

    const runtime: Runtime = {
      info: { kind: 'process' },
      builder: createStageBuilder(stages),
      sync: createStageSync(herePodOf, stages),
      deploy: (request, signal) => entryOf(request.resource.name).inTurn(() => deploy(request, signal)),
      config: configs.get,
      async remove(resource, signal) {
        signal.throwIfAborted()
        configs.remove(resource)
        const entry = entries.get(resource)
        if (!entry) return []
        return entry.inTurn(async () => {
          const pods = [...entry.pods]
          await Promise.all(pods.map((pod) => drop(entry, pod)))
          return pods.length > 0 ? [`process/${resource}`] : []
        })
      },
      // what is made here goes with the process
      removeShared: () => Promise.resolve([]),
      references: async () => ({ images: new Set(), isWhole: true }),
      async deployed() {
        return [...entries].filter(([, entry]) => entry.pods.size > 0).map(([resource]) => resource)
      },
      observe(listener) {
        onObserved = listener
        for (const resource of entries.keys()) tell(resource)
      },
      async replacePod({ name }, signal) {
        signal.throwIfAborted()
        const found = podNamed(name)
        if (!found) throw new DevloopError('app/start', `There is no pod ${name}.`)
        const { entry, pod } = found
        await entry.inTurn(async () => {
          if (pod.gone.aborted) return
          const next = createAppPod(pod.options)
          entry.pods.add(next)
          await replaceBy(entry, next)
        })
      },
      async logs({ target, since }, onLine, signal) {
        await podOf(target)?.log.follow(since, onLine, signal)
      },
      async dial({ name }, port, signal) {
        signal.throwIfAborted()
        const pod = podNamed(name)?.pod
        const [portName] = Object.entries(pod?.options.app.ports ?? {}).find(([, number]) => number === port) ?? []
        const own = pod && portName !== undefined ? pod.options.ports[portName] : undefined
        const local = pod && port === pod.options.app.debug?.port ? pod.options.debugPort : own
        if (local === undefined) {
          throw new DevloopError(
            'forward/failed',
            pod ? `${pod.options.app.name} has no port ${port}.` : `There is no pod ${name}.`,
          )
        }
        return dialLocal(local, signal)
      },
      async reach(_from, { to, portName }, signal) {
        const pod = [...(entries.get(to)?.pods ?? [])].findLast(isHere)
        const port = pod?.options.ports[portName]
        if (port === undefined) return { state: 'failed', step: 'tcp', why: `nothing of ${to} runs` }
        if (await accepts(port, signal)) return { state: 'ok' }
        signal.throwIfAborted()
        return { state: 'failed', step: 'tcp', why: `nothing accepts connections on 127.0.0.1:${port}` }
      },
      workplace(name) {
        const pod = podNamed(name)?.pod
        return pod && { cwd: pod.options.cwd, env: pod.options.env }
      },
      async close() {
        closing.abort()
        const ended = [...entries.values()].flatMap((entry) => [...entry.pods].map((pod) => pod.end(graceMs)))
        await Promise.all(ended)
        await Promise.all([...[...entries.values()].map((entry) => entry.inTurn(() => Promise.resolve())), ...deleting])
        entries.clear()
      },
    }
    return runtime
  }
}

const isHere = (pod: AppPod): boolean => !pod.gone.aborted

function observe(resource: string, pods: readonly AppPod[]): Observed {
  // the newest comes last
  const current = pods.findLast(isHere)
  const message = current?.message()
  const error = current?.process.state.error
  return {
    resource,
    pods: pods.map((pod) => pod.observed()),
    rolledOut: pods.length === 1 && current?.process.state.ready === true,
    ...(message === undefined ? {} : { message }),
    ...(error ? { error } : {}),
  }
}

function processApp(resource: DeployableSpec): ProcessApp {
  if (resource.kind === 'app' && resource.process) return { ...resource, process: resource.process }
  const what = resource.kind === 'app' ? 'an app without `process`' : 'Kubernetes objects'
  throw new DevloopError('app/start', `${resource.name} cannot run on this machine: it is ${what}.`, {
    where: resource.at,
    help: resource.kind === 'app' ? 'Give the app a `process`, or use --runtime kubernetes.' : 'Use --runtime kubernetes.',
  })
}

/** What of an app needs a container. Its user, its capabilities and the like are left out without a word: they are this machine's. */
function notFollowed(app: AppSpec): readonly ErrorInfo[] {
  const paths = (app.volumes ?? []).map(({ path }) => path)
  if (paths.length === 0) return []
  return [
    new DevloopError('app/volume', `Nothing is mounted for ${app.name} on this machine: it finds no ${paths.join(', ')}.`, {
      why: 'Without a container, these would be paths of the machine itself.',
      where: app.at,
      help: 'Let `process` use other paths, or run on a cluster.',
    }).info,
  ]
}

const stageGone = (app: AppSpec, record: BuildRecord): DevloopError =>
  new DevloopError('app/start', `The staged files of image ${record.image} are gone, so ${app.name} cannot start.`, {
    why: `${record.ref} does not exist, or is not complete.`,
    help: `Stage it again: devloop trigger ${app.name}`,
  })

/** Where an app runs. Its container is new when the stage is, and its own where two apps share an image. */
async function placeOf(
  app: AppSpec,
  record: BuildRecord | undefined,
  stateDir: string,
): Promise<{ stage: string | undefined; containerId: string; ref: string; cwd: string }> {
  if (record) {
    const root = await realpath(record.ref)
    const cwd = inStage(root, app.workdir ?? record.config.workingDir)
    await mkdir(cwd, { recursive: true })
    return { stage: root, containerId: `${stageId(record.ref)}.${app.name}`, ref: record.ref, cwd }
  }
  // an image that somebody else builds has no files here; what the app writes stays in a folder of its own
  const cwd = join(stateDir, 'app', app.name)
  await mkdir(cwd, { recursive: true, mode: 0o700 })
  return {
    stage: undefined,
    containerId: `app.${app.name}`,
    ref: 'ref' in app.image ? app.image.ref : app.image.built,
    cwd: await realpath(cwd),
  }
}

/** Everything that a running process depends on. */
function templateOf(
  app: ProcessApp,
  record: BuildRecord | undefined,
  main: Main,
  ports: Readonly<Record<string, number>>,
): string {
  const sorted = Object.entries(main.env).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const parts = [app.process, main.command, app.image, record?.digest, sorted, ports, app.job, app.workdir]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12)
}

async function dialLocal(port: number, signal: AbortSignal): ReturnType<Runtime['dial']> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const abort = (): void => void socket.destroy(signal.reason as Error)
  signal.addEventListener('abort', abort)
  try {
    await once(socket, 'connect')
    return socket
  } catch (thrown) {
    signal.throwIfAborted()
    throw new DevloopError('forward/refused', `Nothing accepts connections on 127.0.0.1:${port}.`, {
      why: (thrown as Error).message,
      cause: thrown,
    })
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
