// Composition root: builds everything of one daemon, and owns its start and stop.
import { randomBytes, randomUUID } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createFileWatcher } from '../adapters/chokidar/file-watcher.js'
import { readLastAccess, writeLastAccess } from '../adapters/disk/last-access.js'
import { machineId } from '../adapters/disk/machine-id.js'
import { createSourceFiles } from '../adapters/disk/source-files.js'
import { createSourceWriter } from '../adapters/disk/source-writer.js'
import { createStateFiles } from '../adapters/disk/state-files.js'
import { createVcsLock } from '../adapters/disk/vcs-lock.js'
import { createStateFolders, madeImagesOf, noteInstance } from '../adapters/disk/state-folders.js'
import { stateDir as userStateDir } from '../adapters/disk/xdg.js'
import { findPortOwner } from '../adapters/process/port-owner.js'
import { createConfigReader } from '../adapters/config/config-reader.js'
import { createManifestRenderer } from '../adapters/manifests/renderer.js'
import { createProcessRunner } from '../adapters/process/process-runner.js'
import { createReadiness } from '../adapters/process/readiness.js'
import { createCiController } from '../control/ci.js'
import type { Controller, ControlContext, NewLogLine } from '../control/context.js'
import { createDevloopfileLoader } from '../devloopfile/load-devloopfile.js'
import { DevloopError, toErrorInfo } from '../errors/devloop-error.js'
import type { Choices } from '../model/plan.js'
import type { CiLimits, CiReport } from '../model/ci-report.js'
import type { State } from '../model/state.js'
import { instanceId } from '../model/instance.js'
import type { Discovery } from '../protocol/messages.js'
import { instancePaths, runtimeDirs } from '../protocol/discovery.js'
import { protocolVersion } from '../protocol/messages.js'
import { isLive, readDiscovery, removeDiscovery, removeDiscoveryAtExit, writeDiscovery } from '../server/discovery.js'
import { lockInstance } from '../server/instance-lock.js'
import { createPageFiles, findPageFolder } from '../server/page-files.js'
import type { Progress } from '../server/request-handlers.js'
import { createStatusServer } from '../server/server.js'
import { createViewSource } from '../server/views.js'
import { isLeftAlone } from '../store/graph-status.js'
import { createActionRing } from '../store/action-ring.js'
import { initialState } from '../store/initial-state.js'
import { createLarge } from '../store/large.js'
import { createLogRing } from '../store/log-ring.js'
import { createSecretMask } from '../store/secret-mask.js'
import { createStore } from '../store/store.js'
import { createWorkFeed } from '../store/work-feed.js'
import { startControllers } from './controllers.js'
import { removeAll, type DownChoice, type DownStep } from './remove-all.js'
import { createDaemonLog } from './daemon-log.js'
import { daemonPart } from './dump/daemon-part.js'
import { createRequests } from './requests.js'
import { runtimeOpener } from './runtimes.js'

export interface DaemonOptions {
  /** The Devloopfile. */
  readonly file: string
  readonly runtime: 'kubernetes' | 'process'
  /** Kubeconfig context instead of the current one. */
  readonly context?: string
  /** Namespace instead of the Devloopfile's. */
  readonly namespace?: string
  /** TCP port on 127.0.0.1; 0 = any that is free. */
  readonly port: number
  /** What the Devloopfile gets as `args`. */
  readonly args: readonly string[]
  /** Which way is wanted of resources that can be made in two. Default: what the Devloopfile prefers. */
  readonly choices?: Choices
  /** Resources, as names or `label:NAME`, to enable at first, with what they need; undefined = as the Devloopfile says. */
  readonly only?: readonly string[]
  /** Of devloop. */
  readonly version: string
  /** Run the plan once and judge it, with these limits; undefined = run until somebody stops it. */
  readonly ci?: CiLimits
}

export interface Daemon {
  readonly discovery: Discovery
  /**
   * Ends it in 5 s at most. Safe to call again. With `down`, what was deployed is deleted first, however long that takes; with
   * `asked`, only what the command line asked for and what that needs.
   */
  stop(reason: string, options?: { down?: DownChoice; asked?: boolean }): Promise<void>
  /** Something that cannot happen did, outside of the daemon's own work: log it, keep the state for the report, and end with 70. */
  defect(thrown: unknown): void
  /** A warning that belongs to no resource: it stands in the log that clients see. */
  note(text: string): void
  /** Settles with the exit code when it has ended, for whatever reason; never rejects. */
  readonly ended: Promise<number>
  /** With `DaemonOptions.ci`: settles once with what the run came to, at the latest when the daemon ends; never rejects. */
  readonly ci: Promise<CiReport>
}

/** How long controllers get to end. Milliseconds. */
const patience = 4000

/** @throws DevloopError devloopfile/not-found, daemon/running, daemon/start */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const file = await realpath(options.file).catch(() => {
    throw new DevloopError('devloopfile/not-found', `there is no ${options.file}`)
  })
  const user = userInfo().username
  const instance = instanceId({ devloopfile: file, user, machine: machineId() })
  const epoch = randomUUID()
  const startedAt = Date.now()
  const { lock, runtimeDir } = await lock_(instance)
  const stateDir = join(userStateDir(process.env), instance)
  await noteInstance(stateDir, file)
  // so that a page that is open, or an address that somebody noted, leads to this daemon as it did to the last one
  const last = await readLastAccess(stateDir)
  const { token = newToken(), readToken = newToken() } = last

  const logs = createLogRing({})
  const own = createDaemonLog(stateDir)
  const mask = createSecretMask()
  const log = ({ at = Date.now(), text, ...rest }: NewLogLine): void => {
    const line = { ...rest, text: mask.text(text) }
    logs.append({ at, ...line })
    if (line.level !== 'info' || line.resource === '') own.line(line)
  }
  const actions = createActionRing()
  const store = createStore({
    initial: initialState(
      {
        instance,
        version: options.version,
        pid: process.pid,
        startedAt,
        runtime: options.runtime,
        args: options.args,
        ...(options.choices ? { choices: options.choices } : {}),
        only: options.only ?? [],
        others: options.ci ? 'left' : 'deleted',
      },
      file,
    ),
    onAction: actions.add,
    onDefect: (thrown) => onDefect(thrown),
  })
  const work = createWorkFeed(store)
  const planLoader = createDevloopfileLoader({ file })
  const processes = createProcessRunner()
  const madeImages = madeImagesOf(stateDir)
  const context: ControlContext = {
    store,
    work,
    large: createLarge(),
    runtime: { current: null },
    pruning: { current: null },
    verifiers: new Map(),
    dialers: new Map(),
    lookAt: { current: null },
    log,
    onDefect: (thrown) => onDefect(thrown),
    ports: {
      watcher: createFileWatcher(),
      sources: createSourceFiles(),
      sourceWriter: createSourceWriter(),
      stateFiles: createStateFiles({
        dir: stateDir,
        project: basename(dirname(file)),
        instance,
        onProblem: (error) => log({ resource: '', source: 'daemon', level: 'warn', text: error.message }),
      }),
      madeImages,
      stateFolders: createStateFolders(userStateDir(process.env), instance),
      vcsLock: createVcsLock(),
      planLoader,
      processes,
      findPortOwner,
      renderer: createManifestRenderer(processes),
      configReader: createConfigReader({ processes }),
      readiness: createReadiness(processes),
      openRuntime: runtimeOpener(options.runtime, (text) => log({ resource: '', source: 'cluster', level: 'warn', text })),
      planContext: { user, runtime: options.runtime },
      runtimeOptions: {
        onSecrets: mask.add,
        onMade: madeImages.add,
        makesNamespace: true,
        instance,
        stateDir,
        ...(options.context === undefined ? {} : { context: options.context }),
        ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
      },
    },
  }

  let controllers: Controller[] = []
  /** Who is told how the deletion gets on. */
  const followers = new Set<Progress>()
  let stopping: Promise<void> | undefined
  let noteAccess = async (): Promise<void> => {}
  let end: (code: number) => void = () => {}
  const ended = new Promise<number>((resolve) => (end = resolve))
  let judged: (report: CiReport) => void = () => {}
  const ci = new Promise<CiReport>((resolve) => (judged = resolve))

  /** Whether everything is deleted that was meant, once that is done; false = that was not asked for. */
  let removal: Promise<boolean> = Promise.resolve(false)
  const stop: Daemon['stop'] = (reason, options = {}) => (stopping ??= shutDown(reason, options, 0))
  const views = createViewSource(store, work, () => basename(dirname(file)), mask)
  const server = createStatusServer({
    views,
    logs,
    handlers: createRequests(
      context,
      views,
      () => daemonPart(context, actions, mask),
      ({ down, ...choice }, progress) => {
        followers.add(progress)
        void (down ? stop('stopped, and everything deleted', { down: choice }) : stop('stopped by a client'))
        return removal
      },
    ),
    epoch,
    version: options.version,
    token,
    readToken,
    socketPath: instancePaths(runtimeDir, instance).socket,
    mask: mask.text,
    tcpPort: options.port,
    preferredPort: last.port,
    page: createPageFiles(findPageFolder()),
    onDefect: (thrown) => onDefect(thrown),
  })

  const shutDown = async (
    reason: string,
    { down, asked }: { down?: DownChoice; asked?: boolean },
    code: number,
  ): Promise<void> => {
    store.dispatch({ type: 'session/phase', phase: 'stopping' })
    if (down) {
      const tell = ({ resource, text, done, total }: DownStep): void => {
        const message = resource === '' ? text : `${resource}: ${text}`
        for (const follow of followers) follow(message, { done, total })
      }
      removal = removeDeployed(context, down, asked ? askedFor(store.state()) : undefined, tell)
      await removal
    }
    await limited(Promise.allSettled(controllers.map((one) => one.stop())), patience)
    await limited(Promise.allSettled([planLoader.close(), context.ports.stateFiles.close()]), 500)
    await server.close(reason).catch(() => {})
    work.stop()
    await removeDiscovery(runtimeDir, instance, epoch).catch(() => {})
    await noteAccess()
    await lock.release().catch(() => {})
    process.off('exit', onExit)
    own.close()
    end(code)
  }

  /** Something that cannot happen did: say what, keep the state for the report, and end. */
  const onDefect = (thrown: unknown): void => {
    const file_ = own.defect(thrown, store.state(), mask.text)
    logs.append({
      at: Date.now(),
      resource: '',
      source: 'daemon',
      level: 'error',
      text: `devloop has a defect and ends: ${toErrorInfo(thrown).message} (see ${file_})`,
    })
    stopping ??= shutDown('a defect', {}, 70)
  }

  /** However this process ends (a second Ctrl-C does not wait), nobody shall take it for a running daemon. */
  const onExit = (): void => {
    removeDiscoveryAtExit(runtimeDir, instance, epoch)
    lock.releaseAtExit()
  }
  process.on('exit', onExit)

  try {
    const addresses = await server.start()
    const discovery: Discovery = {
      pid: process.pid,
      project: basename(dirname(file)),
      devloopfile: file,
      startedAt,
      version: options.version,
      protocol: protocolVersion,
      epoch,
      socket: addresses.socket,
      ...(addresses.url === undefined ? {} : { url: addresses.url }),
      token,
      readToken,
    }
    await writeDiscovery(runtimeDir, instance, discovery)
    noteAccess = async () => {
      if (addresses.url !== undefined)
        await writeLastAccess(stateDir, { port: Number(new URL(addresses.url).port), token, readToken })
    }
    await noteAccess()
    controllers = startControllers(context)
    if (options.ci) controllers.push(createCiController(context, options.ci, judged))
    store.dispatch({ type: 'session/phase', phase: 'running' })
    const note = (text: string): void => log({ resource: '', source: 'daemon', level: 'warn', text })
    return { discovery, stop, defect: onDefect, note, ended, ci }
  } catch (thrown) {
    await server.close('it could not start').catch(() => {})
    await lock.release().catch(() => {})
    process.off('exit', onExit)
    throw thrown
  }
}

const newToken = (): string => randomBytes(32).toString('base64url')

/** The first folder of this user in which a lock can be taken. */
async function lock_(instance: string): Promise<{ lock: Awaited<ReturnType<typeof lockInstance>>; runtimeDir: string }> {
  let problem: unknown
  // another terminal of this user may have other folders
  for (const runtimeDir of runtimeDirs(process.env, process.getuid?.() ?? 0)) {
    const other = await readDiscovery(runtimeDir, instance)
    if (other && (await isLive(other)))
      throw new DevloopError('daemon/running', `devloop already runs for this project, as process ${other.pid}`)
  }
  for (const runtimeDir of runtimeDirs(process.env, process.getuid?.() ?? 0)) {
    try {
      return { lock: await lockInstance(runtimeDir, instance), runtimeDir }
    } catch (thrown) {
      if (thrown instanceof DevloopError && thrown.code === 'daemon/running') throw thrown
      problem ??= thrown
    }
  }
  throw new DevloopError('daemon/start', "no folder for the daemon's socket can be made", {
    why: toErrorInfo(problem).message,
    help: 'Set XDG_RUNTIME_DIR to a folder of your own.',
  })
}

/** The resources that the command line names, with what they need; undefined = all there are, in the plan or not. */
const askedFor = (state: State): readonly string[] | undefined =>
  state.session.only.length === 0 ? undefined : Object.keys(state.resources).filter((name) => !isLeftAlone(state, name))

/**
 * Delete what was deployed, once nothing is being deployed any more; what is done and what went wrong is told in the log, too.
 * @param only names of the resources that are meant; undefined = all
 * @returns whether everything was deleted that was meant
 */
async function removeDeployed(
  { runtime, store, log }: ControlContext,
  choice: DownChoice,
  only: readonly string[] | undefined,
  tell: (step: DownStep) => void,
): Promise<boolean> {
  const isDeploying = (): boolean => Object.values(store.state().resources).some(({ deploy }) => deploy?.status === 'running')
  const open = runtime.current
  if (!open) {
    log({ resource: '', source: 'deploy', level: 'error', text: 'nothing was deleted, since nothing is connected' })
    return false
  }
  // a deploy that is not cut in the middle would leave behind what it makes last
  let stop = (): void => {}
  const quiet = new Promise<void>((resolve) => {
    const look = (): void => void (isDeploying() || resolve())
    stop = store.subscribe(look)
    look()
  })
  await limited(quiet, 60_000)
  stop()
  return removeAll(
    open,
    store.state().plan,
    { ...choice, ...(only ? { only } : {}) },
    (step) => {
      const { resource, level, text } = step
      log({ resource, level, text, source: 'deploy' })
      tell(step)
    },
    new AbortController().signal,
  )
}

async function limited(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}
