// Which projects the workspace has: one for each Devloopfile of its folders.
import { dirname, relative, resolve } from 'node:path'
import type { ViewsChange } from 'devloop/client'
import * as vscode from 'vscode'
import { devloopfileName, nearestDevloopfile, openProject, type Project } from './project.js'

export interface Projects extends vscode.Disposable {
  all(): readonly Project[]
  /** By the path of the Devloopfile. */
  get(devloopfile: string): Project | undefined
  /** The project that a file belongs to: the one whose Devloopfile is nearest above it. */
  of(path: string): Project | undefined
  /** The one that is meant where none is named: of the file that is edited, or the only one. */
  current(): Project | undefined
  /** The folder of the workspace that a project was found by. */
  folderOf(project: Project): vscode.WorkspaceFolder | undefined
  /** After each change of a project (then with it), and of which there are. */
  onChange(listener: (project: Project | undefined, change: ViewsChange | undefined) => void): void
}

/** Looks for them, and again when folders, settings or Devloopfiles come and go. */
export function openProjects(version: string): Projects {
  const projects = new Map<string, { readonly project: Project; readonly readOnly: boolean }>()
  const listeners: ((project: Project | undefined, change: ViewsChange | undefined) => void)[] = []
  let looking: Promise<void> = Promise.resolve()
  let closed = false
  const tell = (project: Project | undefined, change?: ViewsChange): void => {
    if (!closed) for (const listener of listeners) listener(project, change)
  }

  async function look(): Promise<void> {
    const wanted = new Set((await Promise.all((vscode.workspace.workspaceFolders ?? []).map(devloopfilesOf))).flat())
    if (closed) return
    const readOnly = !vscode.workspace.isTrusted
    for (const [file, known] of projects) {
      if (wanted.has(file) && known.readOnly === readOnly) continue
      known.project.close()
      projects.delete(file)
    }
    for (const devloopfile of wanted) {
      if (projects.has(devloopfile)) continue
      const project: Project = openProject({ devloopfile, readOnly, version, onChange: (change) => tell(project, change) })
      projects.set(devloopfile, { project, readOnly })
    }
    await vscode.commands.executeCommand('setContext', 'devloop.hasProject', projects.size > 0)
    tell(undefined)
  }
  const lookAgain = (): void => {
    looking = looking.then(look, look)
  }
  const watcher = vscode.workspace.createFileSystemWatcher(`**/${devloopfileName}`, false, true, false)
  const subscriptions = [
    watcher,
    watcher.onDidCreate(lookAgain),
    watcher.onDidDelete(lookAgain),
    vscode.workspace.onDidChangeWorkspaceFolders(lookAgain),
    vscode.workspace.onDidGrantWorkspaceTrust(lookAgain),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('devloop.devloopfile')) lookAgain()
    }),
  ]
  lookAgain()

  const all = (): Project[] => [...projects.values()].map(({ project }) => project)
  const of = (path: string): Project | undefined =>
    all()
      .filter(({ devloopfile }) => isBelow(dirname(devloopfile), path))
      .toSorted((a, b) => b.devloopfile.length - a.devloopfile.length)[0]
  return {
    all,
    of,
    get: (devloopfile) => projects.get(devloopfile)?.project,
    current() {
      const document = vscode.window.activeTextEditor?.document
      const edited = document?.uri.scheme === 'file' ? of(document.uri.fsPath) : undefined
      return edited ?? (projects.size === 1 ? all()[0] : undefined)
    },
    folderOf: ({ devloopfile }) =>
      (vscode.workspace.workspaceFolders ?? []).find(
        ({ uri }) => isBelow(uri.fsPath, devloopfile) || isBelow(dirname(devloopfile), uri.fsPath),
      ),
    onChange: (listener) => void listeners.push(listener),
    dispose() {
      closed = true
      for (const one of subscriptions) one.dispose()
      for (const project of all()) project.close()
      projects.clear()
    },
  }
}

async function devloopfilesOf({ uri }: vscode.WorkspaceFolder): Promise<string[]> {
  if (uri.scheme !== 'file') return []
  const named = vscode.workspace.getConfiguration('devloop', uri).get<string>('devloopfile', '')
  if (named !== '') return [resolve(uri.fsPath, named)]
  const nearest = nearestDevloopfile(uri.fsPath)
  if (nearest !== undefined) return [nearest]
  const below = await vscode.workspace.findFiles(
    new vscode.RelativePattern(uri, `**/${devloopfileName}`),
    '**/node_modules/**',
    20,
  )
  return below.map((one) => one.fsPath)
}

/** Whether a path is in a folder, or is it. */
export function isBelow(folder: string, path: string): boolean {
  const below = relative(folder, path)
  return below !== '..' && !below.startsWith('../')
}
