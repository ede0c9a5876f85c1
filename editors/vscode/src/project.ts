// One Devloopfile and the connection to its daemon, which is kept up while daemons come and go.
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { connectDevloop, findDaemon, sessionOf } from 'devloop/client'
import type { DevloopClient, Discovery, ErrorInfo, Views, ViewsChange } from 'devloop/client'

export interface Project {
  /** Absolute path. */
  readonly devloopfile: string
  /** As the daemon calls it; before one ran, the name of its folder. */
  readonly name: string
  /** Whether a daemon is connected. */
  readonly running: boolean
  /** Why not. */
  readonly error: ErrorInfo | undefined
  /** Changes with the connection; ask for it each time. */
  readonly client: DevloopClient
  /** Empty while no daemon is connected. */
  views(): Views
  /** The daemon's addresses, which the page has. */
  discovery(): Promise<Discovery | undefined>
  close(): void
}

export interface ProjectOptions {
  readonly devloopfile: string
  /** Ask for less than this user may do. */
  readonly readOnly: boolean
  readonly version: string
  /** Called after each change of the state or the connection. */
  readonly onChange: (change: ViewsChange | undefined) => void
}

/** After a refusal that trying again does not cure, a new daemon may still be another one. */
const anewMs = 15_000
const none: Views = new Map()

/** Connects, and connects again until it is closed. */
export function openProject({ devloopfile, readOnly, version, onChange }: ProjectOptions): Project {
  let name = basename(dirname(devloopfile))
  let timer: ReturnType<typeof setTimeout> | undefined
  let closed = false

  function connect(): DevloopClient {
    const made = connectDevloop({
      name: `vscode ${version}`,
      endpoint: () => findDaemon({ devloopfile }),
      backoff: { minMs: 200, maxMs: 3_000 },
      ...(readOnly ? { access: 'read' as const } : {}),
    })
    made.onViews((change) => {
      name = sessionOf(made.views())?.project ?? name
      onChange(change)
    })
    made.onState((state) => {
      if (closed) return
      if (state === 'closed') {
        timer = setTimeout(() => {
          client = connect()
        }, anewMs)
      }
      onChange(undefined)
    })
    return made
  }
  let client = connect()

  return {
    devloopfile,
    get name() {
      return name
    },
    get running() {
      return client.state === 'open'
    },
    get error() {
      return client.error
    },
    get client() {
      return client
    },
    views: () => (client.state === 'open' ? client.views() : none),
    discovery: () => findDaemon({ devloopfile }),
    close() {
      closed = true
      clearTimeout(timer)
      client.close()
    },
  }
}

export const devloopfileName = 'Devloopfile.ts'

/** The Devloopfile of this folder, or the nearest above. */
export function nearestDevloopfile(folder: string): string | undefined {
  const file = join(folder, devloopfileName)
  if (existsSync(file)) return file
  const above = dirname(folder)
  return above === folder ? undefined : nearestDevloopfile(above)
}

/** The program that starts devloop for a Devloopfile: that of its project, or else what PATH has. */
export function devloopProgram(devloopfile: string): string {
  for (let folder = dirname(devloopfile); ; folder = dirname(folder)) {
    const file = join(folder, 'node_modules/.bin/devloop')
    if (existsSync(file)) return file
    if (folder === dirname(folder)) return 'devloop'
  }
}
