// The extension: puts the parts together, and keeps them up to date with the daemons of the workspace.
import * as vscode from 'vscode'
import { registerCommands } from './commands.js'
import { createDebuggers } from './debuggers.js'
import { createDiagnostics, type ProjectDiagnostics } from './diagnostics.js'
import { createLogChannels } from './log-channels.js'
import type { Project } from './project.js'
import { openProjects, type Projects } from './projects.js'
import { createResourceTree } from './resource-tree.js'
import { createStatusItem } from './status-item.js'

/** Called once by VS Code, after its start. What is pushed to `subscriptions` is disposed of at the end. */
export function activate({ subscriptions, extension }: vscode.ExtensionContext): void {
  const { version } = extension.packageJSON as { version: string }
  const projects = openProjects(version)
  const logs = createLogChannels(projects)
  const debuggers = createDebuggers(projects)
  subscriptions.push(
    projects,
    logs,
    debuggers,
    createStatusItem(projects),
    createResourceTree(projects),
    followProblems(projects),
    followContext(projects),
    registerCommands({ projects, logs, debuggers }),
  )
}

function followProblems(projects: Projects): vscode.Disposable {
  const diagnostics = new Map<Project, ProjectDiagnostics>()
  projects.onChange((changed) => {
    const all = new Set(projects.all())
    for (const [project, one] of diagnostics) {
      if (all.has(project)) continue
      one.dispose()
      diagnostics.delete(project)
    }
    for (const project of changed && all.has(changed) ? [changed] : all) {
      let one = diagnostics.get(project)
      if (!one) diagnostics.set(project, (one = createDiagnostics(project)))
      one.update()
    }
  })
  return { dispose: () => diagnostics.forEach((one) => one.dispose()) }
}

/** Which commands make sense: menus ask for this. */
function followContext(projects: Projects): vscode.Disposable {
  let told: boolean | undefined
  projects.onChange(() => {
    const running = projects.all().some((one) => one.running)
    if (running === told) return
    told = running
    void vscode.commands.executeCommand('setContext', 'devloop.running', running)
  })
  return { dispose: () => void vscode.commands.executeCommand('setContext', 'devloop.running', false) }
}
