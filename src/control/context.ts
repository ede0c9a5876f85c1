// What every controller is made with.
import type { LogEntry } from '../model/log-entry.js'
import type { ConfigReader } from '../ports/config-reader.js'
import type { MadeImages, StateFolders } from '../ports/made-images.js'
import type { ManifestRenderer } from '../ports/manifest-renderer.js'
import type { FileWatcher } from '../ports/file-watcher.js'
import type { PlanContext, PlanLoader } from '../ports/plan-loader.js'
import type { FindPortOwner } from '../ports/port-owner.js'
import type { ProcessRunner } from '../ports/process-runner.js'
import type { Readiness } from '../ports/readiness.js'
import type { OpenRuntime, Runtime, RuntimeOptions } from '../ports/runtime.js'
import type { SourceFiles } from '../ports/source-files.js'
import type { SourceWriter } from '../ports/source-writer.js'
import type { StateFiles } from '../ports/state-files.js'
import type { VcsLock } from '../ports/vcs-lock.js'
import type { Large } from '../store/large.js'
import type { Store } from '../store/store.js'
import type { WorkFeed } from '../store/work-feed.js'
import type { TargetSync } from './live-sync-target.js'
import type { Verified } from './verify.js'

export interface ControlContext {
  readonly store: Store
  readonly work: WorkFeed
  readonly large: Large
  /** The runtime in use; null while there is none. Set by the runtime controller only. */
  readonly runtime: { current: Runtime | null }
  /** The round of housekeeping that is going on; null = none. */
  readonly pruning: { current: Promise<unknown> | null }
  /** By target id: compares what the container holds with what it must hold. Set by the live-sync controller only. */
  readonly verifiers: Map<string, () => Promise<Verified>>
  /** By target id: tries a way to another app, by the stream that is open; undefined while there is none that can. Set by the live-sync controller only. */
  readonly dialers: Map<string, TargetSync['dial']>
  /** Have these absolute paths looked at now, as if events had named them; resolves when the state has what is there. Set by the watch controller only. */
  readonly lookAt: { current: ((paths: readonly string[]) => Promise<void>) | null }
  readonly log: (line: NewLogLine) => void
  /** Something that should not happen did. Logged with its stack; the daemon decides whether to go on. */
  readonly onDefect: (thrown: unknown) => void
  readonly ports: Ports
}

export type NewLogLine = Omit<LogEntry, 'cursor' | 'at'> & { readonly at?: number }

/** The outside world. */
export interface Ports {
  readonly watcher: FileWatcher
  readonly sources: SourceFiles
  readonly sourceWriter: SourceWriter
  readonly stateFiles: StateFiles
  readonly madeImages: MadeImages
  readonly stateFolders: StateFolders
  readonly vcsLock: VcsLock
  readonly planLoader: PlanLoader
  readonly renderer: ManifestRenderer
  readonly configReader: ConfigReader
  readonly processes: ProcessRunner
  readonly findPortOwner: FindPortOwner
  readonly readiness: Readiness
  readonly openRuntime: OpenRuntime
  /** Without `args`, which are part of the state. */
  readonly planContext: Omit<PlanContext, 'args'>
  readonly runtimeOptions: Omit<RuntimeOptions, 'project' | 'cluster'>
}

/** A controller starts when it is made. It looks at the state and starts what it says is missing. */
export interface Controller {
  /** Abort what runs and wait for its end. */
  stop(): Promise<void>
}
