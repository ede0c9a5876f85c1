// Writing into a running container, over one stream that stays open. The transports behind it (the agent, a shell loop,
// the agent from an ephemeral container; a folder in the process runtime) differ only in how.
import type { Readable } from 'node:stream'
import type { DevloopError } from '../errors/devloop-error.js'
import type { LinkOutcome } from '../model/link.js'
import type { Command, ReloadSignal } from '../model/plan.js'
import type { Entry, Wanted } from '../model/tree.js'

/** One container of one pod. */
export interface TargetRef {
  /** Unique among all containers there ever are: the container id of the runtime. */
  readonly containerId: string
  readonly namespace: string
  readonly pod: string
  readonly container: string
  /** The resource that it is of, where there is one. */
  readonly resource?: string
  /** `os/arch` of the image that it runs; undefined = not known. */
  readonly platform?: string | undefined
}

/** What an entry must hold for an operation to be carried out; undefined = whatever there is gives way. */
interface Guarded {
  readonly expected?: Wanted
}

export type SyncOp =
  /** `content` gives the bytes that `hash` was taken of; asked once. `path` is absolute in the container. */
  | (Guarded & {
      readonly op: 'file'
      readonly path: string
      readonly mode: number
      readonly size: number
      readonly hash: string
      readonly content: () => Promise<Buffer | Readable>
    })
  | (Guarded & { readonly op: 'link'; readonly path: string; readonly target: string })
  /** Remove a file or link; nothing there is no error; a folder there is left alone. */
  | (Guarded & { readonly op: 'delete'; readonly path: string })
  /** Remove a folder if it is empty; else nothing happens. */
  | { readonly op: 'rmdir'; readonly path: string }

export interface ListOptions {
  /** Folders in the container, below the roots, that are not gone into. */
  readonly skip: readonly string[]
  /** `entry` is undefined when it cannot be told, such as for a folder that the container's user may not read. */
  readonly onEntry: (path: string, entry: Entry | undefined) => void
}

export interface WatchOptions {
  /** Paths in the container, each a root or below one: folders, or single files. They need not be there. */
  readonly places: readonly string[]
  /** Folders that are of no interest. */
  readonly skip: readonly string[]
  /** All that there is at the places and below: at first, and whenever events were lost. Paths that cannot be told are undefined. */
  readonly onList: (entries: ReadonlyMap<string, Entry | undefined>) => void
  /** What some paths hold now, in order. Whatever was below one of them is gone. Undefined = it cannot be told. */
  readonly onChange: (entries: readonly (readonly [path: string, held: Wanted | undefined])[]) => void
}

export interface SyncWatch {
  /** How changes are found, for people: `watched`, or `looked at every 2 s`. */
  readonly how: string
  /** Settles when nothing is told any more: the error that ended it, or undefined when it was called off. Never rejects. */
  readonly ended: Promise<DevloopError | undefined>
  /** Stop telling. */
  stop(): void
}

export interface NetworkPlace {
  readonly host: string
  readonly port: number
}

export interface SyncSession {
  /** For people: what is used, and why not something better. Such as `shell loop (tar, sha256sum)`. */
  readonly description: string
  /**
   * What the container holds at these absolute paths now. Folders and special files count as absent, and so does what stands below
   * a symbolic link. Missing parents are no error. A path that cannot be told (the container has no sha256sum, or its user may not
   * read the file) is left out of the answer: the caller writes it anew.
   */
  inspect(paths: readonly string[], signal: AbortSignal): Promise<Map<string, Wanted>>
  /**
   * Carry out the operations in order of: deletes, rmdirs, links and files. Each file appears whole or not at all (written
   * beside, then renamed); missing folders are made; a folder or link in the way of a file is replaced. When it resolves, all is
   * done; when it rejects, any part may be done, and the session may be used again unless `closed` has settled.
   * @returns the paths that were left alone because they held something else than the operation expected
   * @throws DevloopError sync/* naming path and user
   */
  apply(ops: readonly SyncOp[], signal: AbortSignal): Promise<ReadonlySet<string>>
  /**
   * Tell everything that the container holds below the roots, one entry at a time and in any order: files and links, as `inspect` tells
   * them; not what stands below a link. Left-overs of writing are left out. It goes on beside other calls. Undefined = this transport cannot.
   * @throws DevloopError sync/disconnected
   */
  readonly list?: (options: ListOptions, signal: AbortSignal) => Promise<void>
  /**
   * Tell what the container holds at some places, and what changes there. Undefined = this session cannot, or cannot tell contents.
   * Resolves when `onList` was called for the first time.
   * @throws DevloopError sync/*
   */
  readonly watch?: (options: WatchOptions, signal: AbortSignal) => Promise<SyncWatch>
  /**
   * The bytes of one file, in pieces. What is read may have changed meanwhile: the reader compares hashes.
   * @throws DevloopError sync/failed when there is no such file any more, sync/*
   */
  readonly read?: (path: string, size: number, signal: AbortSignal) => AsyncIterable<Buffer>
  /**
   * Run a command in the container (a string by `sh -c`), in the container's working folder.
   * Aborting ends the command too, not only the wait. Output is given in whole lines.
   * @param user name or number of whom it runs as; undefined = the container's user. On this machine always whoever runs devloop
   * @throws DevloopError run/failed where it cannot run as that user
   */
  run(command: Command, onLine: (line: string) => void, signal: AbortSignal, user?: string): Promise<{ exitCode: number }>
  /**
   * Replace the container's main process and resolve when the new one is started.
   * @throws DevloopError restart/unsupported, restart/failed
   */
  restart(signal: AbortSignal): Promise<void>
  /**
   * Send a signal to the container's main process: where devloop's supervisor started it, to that which it supervises. Resolves when
   * it was sent. One that the process would not take is not sent, since it would end it. Undefined = this session cannot.
   * @throws DevloopError signal/failed
   */
  signal?(name: ReloadSignal, signal: AbortSignal): Promise<void>
  /**
   * Resolves when something in the container's network listens on this TCP port; without connecting, which the app would see. It goes on
   * beside other calls. Undefined = this session cannot tell.
   * @throws DevloopError sync/disconnected
   */
  readonly listening?: (port: number, signal: AbortSignal) => Promise<void>
  /**
   * Whether a name is known and a TCP port behind it accepts connections, as seen from the container. It goes on beside other calls.
   * Undefined = this session cannot tell.
   * @throws DevloopError sync/disconnected
   */
  readonly dial?: (to: NetworkPlace, signal: AbortSignal) => Promise<LinkOutcome>
  /** Settles once, when the stream has ended for whatever reason; never rejects. */
  readonly closed: Promise<DevloopClosed>
  close(): Promise<void>
}

export interface DevloopClosed {
  /** `asked`: by close(); `lost`: the stream broke or the container ended. */
  readonly reason: 'asked' | 'lost'
  readonly message: string
}

export interface SyncTransport {
  /**
   * Open the stream to a container and find out what can be used there.
   * @param roots folders (or single files) in the container that rules sync into; left-over temporary files there are swept
   * @throws DevloopError sync/no-shell, sync/no-tool, sync/disconnected, cluster/*
   */
  open(target: TargetRef, roots: readonly string[], signal: AbortSignal): Promise<SyncSession>
}
