// Debuggers of apps that devloop starts under one: attached when asked for, and again when the process was replaced.
import type { DebugView, ResourceView } from 'devloop/client'
import * as vscode from 'vscode'
import { attachConfiguration } from './attach-configuration.js'
import type { Project } from './project.js'
import type { Projects } from './projects.js'

export interface Debuggers extends vscode.Disposable {
  attach(project: Project, resource: ResourceView): Promise<void>
}

interface Wanted {
  readonly devloopfile: string
  readonly resource: string
  /** That it was attached to last. */
  process: string | undefined
  session: vscode.DebugSession | undefined
  timer: ReturnType<typeof setTimeout> | undefined
}

/** A session that ended while its process lives was ended by a person, unless the news of the process is still under way. */
const graceMs = 5_000
/** A new process may not listen yet. */
const tries = 5
const retryMs = 1_000
/** Field of a configuration by which its session is known again. */
const mark = 'devloopResource'

export function createDebuggers(projects: Projects): Debuggers {
  const wanted = new Map<string, Wanted>()
  const debugOf = ({ devloopfile, resource }: Wanted): DebugView | undefined => {
    const view = projects.get(devloopfile)?.views().get(`resource/${resource}`)
    return view?.kind === 'resource' ? view.debug : undefined
  }

  async function start(key: string, one: Wanted, left = tries): Promise<void> {
    const project = projects.get(one.devloopfile)
    const debug = debugOf(one)
    if (!project || !debug || wanted.get(key) !== one) return
    const folder = projects.folderOf(project)
    const own = vscode.workspace.getConfiguration('launch', folder?.uri).get<unknown[]>('configurations', [])
    const { process } = one
    const begun = await vscode.debug.startDebugging(folder, { ...attachConfiguration(one.resource, debug, own), [mark]: key })
    if (begun || left <= 1 || one.process !== process) return
    one.timer = setTimeout(() => void start(key, one, left - 1), retryMs)
  }

  function forget(key: string, one: Wanted): void {
    clearTimeout(one.timer)
    if (wanted.get(key) === one) wanted.delete(key)
  }

  async function follow(key: string, one: Wanted): Promise<void> {
    const process = debugOf(one)?.process
    if (process === undefined || process === one.process) return
    if (!vscode.workspace.getConfiguration('devloop').get('reattachDebugger', true)) return forget(key, one)
    clearTimeout(one.timer)
    one.process = process
    const { session } = one
    one.session = undefined
    if (session) await vscode.debug.stopDebugging(session)
    await start(key, one)
  }

  projects.onChange(() => {
    for (const [key, one] of wanted) void follow(key, one)
  })
  const entryOf = ({ configuration }: vscode.DebugSession): [string, Wanted] | undefined => {
    const key = configuration[mark] as unknown
    const one = typeof key === 'string' ? wanted.get(key) : undefined
    return one && [key as string, one]
  }
  const subscriptions = vscode.Disposable.from(
    vscode.debug.onDidStartDebugSession((session) => {
      const entry = entryOf(session)
      if (entry) entry[1].session = session
    }),
    vscode.debug.onDidTerminateDebugSession((session) => {
      const [key, one] = entryOf(session) ?? []
      if (key === undefined || !one || one.session?.id !== session.id) return
      one.session = undefined
      clearTimeout(one.timer)
      one.timer = setTimeout(() => forget(key, one), graceMs)
    }),
  )
  return {
    async attach({ devloopfile }, { name, debug }) {
      const key = `${devloopfile} ${name}`
      const known = wanted.get(key)
      if (known?.session) return
      if (known) forget(key, known)
      const one: Wanted = { devloopfile, resource: name, process: debug?.process, session: undefined, timer: undefined }
      wanted.set(key, one)
      await start(key, one)
    },
    dispose() {
      subscriptions.dispose()
      for (const entry of wanted) forget(...entry)
    },
  }
}
