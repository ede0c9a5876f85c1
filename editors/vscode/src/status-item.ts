// The status bar item: of the project that is edited, or of the worst.
import * as vscode from 'vscode'
import type { Project } from './project.js'
import type { Projects } from './projects.js'
import { statusText, type StatusText } from './status-text.js'

/** The worse, the higher. */
const weight: Readonly<Record<StatusText['tone'], number>> = { off: 0, quiet: 1, plain: 1, good: 2, warn: 3, busy: 4, bad: 5 }

/** Shows and updates it until it is disposed of. */
export function createStatusItem(projects: Projects): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('devloop.status', vscode.StatusBarAlignment.Left, 10)
  item.name = 'devloop'
  item.command = 'devloop.menu'

  const update = (): void => {
    const all = projects.all()
    if (all.length === 0) return item.hide()
    const status = (project: Project): StatusText =>
      statusText(project.views(), project, all.length > 1 ? project.name : undefined)
    const current = projects.current()
    const shown = current ? status(current) : all.map(status).reduce((a, b) => (weight[b.tone] > weight[a.tone] ? b : a))
    item.text = shown.text
    item.tooltip = shown.tooltip.join('\n')
    item.backgroundColor =
      shown.tone === 'bad'
        ? new vscode.ThemeColor('statusBarItem.errorBackground')
        : shown.tone === 'warn'
          ? new vscode.ThemeColor('statusBarItem.warningBackground')
          : undefined
    item.accessibilityInformation = { label: `devloop: ${shown.text.replace(/\$\([^)]*\) ?/g, '')}` }
    item.show()
  }
  projects.onChange(update)
  return vscode.Disposable.from(item, vscode.window.onDidChangeActiveTextEditor(update))
}
