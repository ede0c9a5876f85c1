// The view of resources: nodes as VS Code draws them.
import { harmless, sessionOf, type Tone } from 'devloop/client'
import * as vscode from 'vscode'
import type { Project } from './project.js'
import type { Projects } from './projects.js'
import { statusText } from './status-text.js'
import { resourceNodes, type TreeNode } from './tree-nodes.js'

/** While much changes it is drawn so often; the first change of a quiet time at once. */
const drawMs = 100

const colours: Readonly<Record<Tone, string | undefined>> = {
  good: 'testing.iconPassed',
  bad: 'errorForeground',
  busy: 'charts.blue',
  warn: 'editorWarning.foreground',
  quiet: 'disabledForeground',
  plain: undefined,
}

/** Draws it until it is disposed of. */
export function createResourceTree(projects: Projects): vscode.Disposable {
  const changed = new vscode.EventEmitter<undefined>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let due = false
  const draw = (): void => {
    due = false
    changed.fire(undefined)
    timer = setTimeout(() => {
      timer = undefined
      if (due) draw()
    }, drawMs)
  }
  projects.onChange(() => {
    due = true
    if (timer === undefined) draw()
  })

  const roots = (): TreeNode[] => {
    const all = projects.all()
    const [only] = all
    // without a running daemon the view is empty, which shows how to start one
    if (only && all.length === 1) return only.running ? resourceNodes(only.devloopfile, only.views()) : []
    return all.map(projectNode)
  }
  const provider: vscode.TreeDataProvider<TreeNode> = {
    onDidChangeTreeData: changed.event,
    getChildren: (node) => [...(node?.children ?? roots())],
    getTreeItem: itemOf,
  }
  const view = vscode.window.createTreeView('devloop.resources', { treeDataProvider: provider, showCollapseAll: true })
  return vscode.Disposable.from(view, changed, { dispose: () => clearTimeout(timer) })
}

function projectNode(project: Project): TreeNode {
  const { devloopfile, name, running } = project
  const views = project.views()
  const { tone, tooltip } = statusText(views, project, undefined)
  return {
    id: devloopfile,
    label: harmless(name),
    description: running ? (sessionOf(views)?.ready ? 'ready' : 'running') : 'not running',
    tooltip: tooltip.join('\n'),
    icon: running ? 'vm-active' : 'vm-outline',
    tone: tone === 'off' ? 'quiet' : tone,
    context: running ? 'project-on' : 'project-off',
    children: running ? resourceNodes(devloopfile, views) : [],
    expanded: true,
    devloopfile,
  }
}

function itemOf(node: TreeNode): vscode.TreeItem {
  const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState
  const item = new vscode.TreeItem(node.label, node.children.length === 0 ? None : node.expanded ? Expanded : Collapsed)
  const colour = colours[node.tone]
  item.id = node.id
  item.iconPath = new vscode.ThemeIcon(node.icon, colour === undefined ? undefined : new vscode.ThemeColor(colour))
  if (node.description !== undefined) item.description = node.description
  if (node.tooltip !== undefined) item.tooltip = node.tooltip
  if (node.context !== undefined) item.contextValue = node.context
  const { opens } = node
  if (opens?.kind === 'file') {
    const at = new vscode.Position(opens.line - 1, (opens.column ?? 1) - 1)
    item.command = {
      title: 'Open',
      command: 'vscode.open',
      arguments: [vscode.Uri.file(opens.file), { selection: new vscode.Range(at, at) }],
    }
  } else if (opens?.kind === 'url') {
    item.command = { title: 'Open', command: 'devloop.openEndpoint', arguments: [node] }
  }
  return item
}
