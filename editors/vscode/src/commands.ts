// What the commands do. Each is called from the tree with its node, or without, and then asks which one is meant.
import { dirname } from 'node:path'
import { harmless, resourcesOf, type EndpointView, type ResourceView } from 'devloop/client'
import * as vscode from 'vscode'
import type { Debuggers } from './debuggers.js'
import type { LogChannels } from './log-channels.js'
import { devloopProgram, type Project } from './project.js'
import type { Projects } from './projects.js'
import { withoutIcons } from './status-text.js'
import type { TreeNode } from './tree-nodes.js'
import { whyItems } from './why-items.js'

interface Parts {
  readonly projects: Projects
  readonly logs: LogChannels
  readonly debuggers: Debuggers
}

/** Registers all commands. */
export function registerCommands({ projects, logs, debuggers }: Parts): vscode.Disposable {
  /** The project that is meant, asked for where that is not clear. */
  async function projectFor(
    node: TreeNode | undefined,
    of: (project: Project) => boolean = () => true,
  ): Promise<Project | undefined> {
    const named = node && projects.get(node.devloopfile)
    if (named) return named
    const current = projects.current()
    if (current && of(current)) return current
    const all = projects.all().filter(of)
    if (all.length <= 1) return all[0]
    const items = all.map((project) => ({ label: withoutIcons(project.name), description: project.devloopfile, project }))
    return (await vscode.window.showQuickPick(items, { placeHolder: 'Which project?' }))?.project
  }
  async function runningFor(node: TreeNode | undefined): Promise<Project | undefined> {
    const project = await projectFor(node, (one) => one.running)
    if (project?.running) return project
    void offerStart(project)
    return undefined
  }
  async function offerStart(project: Project | undefined): Promise<void> {
    const start = 'Start devloop'
    const chosen = await vscode.window.showInformationMessage(
      'devloop does not run for this project.',
      ...(vscode.workspace.isTrusted ? [start] : []),
    )
    if (chosen === start) await startDaemon(project && ({ devloopfile: project.devloopfile } as TreeNode))
  }
  async function resourceFor(
    node: TreeNode | undefined,
    what: string,
    of: (resource: ResourceView) => boolean,
  ): Promise<{ project: Project; resource: ResourceView } | undefined> {
    const project = await runningFor(node)
    if (!project) return undefined
    const resources = resourcesOf(project.views())
    const named = node?.resource === undefined ? undefined : resources.find(({ name }) => name === node.resource)
    if (named) return { project, resource: named }
    const items = resources
      .filter(of)
      .map((resource) => ({ label: withoutIcons(resource.name), description: resource.status, resource }))
    if (items.length === 0) return void vscode.window.showInformationMessage(`There is no resource to ${what}.`)
    const chosen = await vscode.window.showQuickPick(items, { placeHolder: `Which resource to ${what}?` })
    return chosen && { project, resource: chosen.resource }
  }

  async function startDaemon(node?: TreeNode): Promise<void> {
    const project = await projectFor(node, (one) => !one.running)
    if (!project || project.running || !vscode.workspace.isTrusted) return
    const { devloopfile, name } = project
    const title = `devloop: ${name}`
    const open = vscode.window.terminals.find((one) => one.name === title && one.exitStatus === undefined)
    if (open) return open.show()
    const settings = vscode.workspace.getConfiguration('devloop', vscode.Uri.file(devloopfile))
    // run as it is and not by a shell, so that no character of a path means anything
    const terminal = vscode.window.createTerminal({
      name: title,
      cwd: dirname(devloopfile),
      shellPath: settings.get('command', '') || devloopProgram(devloopfile),
      shellArgs: ['watch', '--file', devloopfile, ...settings.get<string[]>('watchArguments', [])],
      iconPath: new vscode.ThemeIcon('sync'),
    })
    terminal.show()
  }

  async function openPage(node?: TreeNode): Promise<void> {
    const project = await runningFor(node)
    const daemon = await project?.discovery()
    if (!project || !daemon) return
    if (daemon.url === undefined) return void vscode.window.showInformationMessage('This devloop serves no page.')
    const token = project.client.access === 'read' ? daemon.readToken : daemon.token
    const address = await vscode.env.asExternalUri(vscode.Uri.parse(`${daemon.url}/`))
    // as a text, which is opened as it is: a Uri would be written with `%3D`, which is no `=` to the page
    await vscode.env.openExternal(`${address.toString()}#token=${token}` as unknown as vscode.Uri)
  }

  async function openEndpoint(node?: TreeNode): Promise<void> {
    const opens = node?.opens?.kind === 'url' ? node.opens.url : undefined
    const found =
      opens === undefined ? await resourceFor(node, 'open', ({ endpoints }) => webEndpoints(endpoints).length > 0) : undefined
    const urls = opens === undefined ? webEndpoints(found?.resource.endpoints ?? []) : [opens]
    const url = urls.length > 1 ? await vscode.window.showQuickPick(urls, { placeHolder: 'Which endpoint?' }) : urls[0]
    if (url !== undefined) await vscode.env.openExternal(await vscode.env.asExternalUri(vscode.Uri.parse(url)))
  }

  async function why(uri?: vscode.Uri): Promise<void> {
    const file = uri ?? vscode.window.activeTextEditor?.document.uri
    if (file?.scheme !== 'file') return void vscode.window.showInformationMessage('Open a file of the project first.')
    const project = projects.of(file.fsPath) ?? (await projectFor(undefined))
    if (!project?.running) return offerStart(project)
    const items = whyItems(await project.client.request('why', { path: file.fsPath }))
    const chosen = await vscode.window.showQuickPick(items, {
      title: `Why does ${harmless(vscode.workspace.asRelativePath(file))} (not) sync?`,
      placeHolder: 'Choose one to see its rule in the Devloopfile',
    })
    if (chosen?.at) await openFile(chosen.at.file, chosen.at.line)
  }

  async function menu(): Promise<void> {
    const project = await projectFor(undefined)
    if (!project) return
    const node = { devloopfile: project.devloopfile } as TreeNode
    const trusted = vscode.workspace.isTrusted
    const failed = resourcesOf(project.views()).filter(({ status }) => status === 'failed')
    const items: { label: string; run: () => Thenable<unknown> }[] = project.running
      ? [
          ...(failed.length > 0
            ? [{ label: '$(error) Show problems', run: () => vscode.commands.executeCommand('workbench.actions.view.problems') }]
            : []),
          ...failed.map((one) => ({
            label: `$(output) Show log of ${withoutIcons(one.name)}`,
            run: async () => logs.show(project, one.name),
          })),
          { label: '$(list-tree) Show resources', run: () => vscode.commands.executeCommand('devloop.resources.focus') },
          { label: '$(globe) Open status page', run: () => openPage(node) },
          { label: '$(output) Show all logs', run: async () => logs.show(project, undefined) },
          ...(trusted
            ? [{ label: '$(refresh) Trigger a resource', run: () => vscode.commands.executeCommand('devloop.trigger') }]
            : []),
          { label: '$(question) Why does this file (not) sync?', run: () => why() },
          { label: '$(go-to-file) Open Devloopfile', run: () => openFile(project.devloopfile) },
          ...(trusted ? [{ label: '$(debug-stop) Stop devloop', run: () => stop(node) }] : []),
        ]
      : [
          ...(trusted ? [{ label: '$(play) Start devloop', run: () => startDaemon(node) }] : []),
          { label: '$(go-to-file) Open Devloopfile', run: () => openFile(project.devloopfile) },
        ]
    await (await vscode.window.showQuickPick(items, { placeHolder: `devloop: ${harmless(project.name)}` }))?.run()
  }

  async function stop(node?: TreeNode): Promise<void> {
    await (await runningFor(node))?.client.request('shutdown', {})
  }

  const isEnabled = ({ status }: ResourceView): boolean => status !== 'disabled'
  const commands: Readonly<Record<string, (argument?: never) => Promise<unknown>>> = {
    menu,
    start: startDaemon,
    stop,
    openPage,
    openEndpoint,
    why,
    async openDevloopfile(node?: TreeNode) {
      const project = await projectFor(node)
      if (project) await openFile(project.devloopfile)
    },
    async trigger(node?: TreeNode) {
      const of = await resourceFor(node, 'trigger', isEnabled)
      await of?.project.client.request('trigger', { resource: of.resource.name })
    },
    async restart(node?: TreeNode) {
      const of = await resourceFor(node, 'restart', isEnabled)
      await of?.project.client.request('restart', { resource: of.resource.name })
    },
    async enable(node?: TreeNode) {
      const of = await resourceFor(node, 'enable', (one) => !isEnabled(one) || one.hold?.code === 'auto')
      await of?.project.client.request('enable', { resources: [of.resource.name] })
    },
    async disable(node?: TreeNode) {
      const of = await resourceFor(node, 'disable', isEnabled)
      await of?.project.client.request('disable', { resources: [of.resource.name] })
    },
    async showLog(node?: TreeNode) {
      const project = await runningFor(node)
      const which = node ? { name: node.resource } : project && (await pickLog(project))
      if (project && which) logs.show(project, which.name)
    },
    async attachDebugger(node?: TreeNode) {
      const of = await resourceFor(node, 'debug', ({ debug }) => debug !== undefined)
      if (of) await debuggers.attach(of.project, of.resource)
    },
  }
  return vscode.Disposable.from(
    ...Object.entries(commands).map(([name, run]) =>
      vscode.commands.registerCommand(`devloop.${name}`, (argument?: never) => run(argument).catch(showError)),
    ),
  )
}

/** Without a name: of all. */
async function pickLog(project: Project): Promise<{ readonly name: string | undefined } | undefined> {
  const all = { label: 'all resources', description: '', name: undefined }
  const items = resourcesOf(project.views()).map(({ name, status }) => ({ label: withoutIcons(name), description: status, name }))
  return vscode.window.showQuickPick([all, ...items], { placeHolder: 'Which log?' })
}

async function openFile(file: string, line = 1): Promise<void> {
  const at = new vscode.Position(line - 1, 0)
  await vscode.window.showTextDocument(vscode.Uri.file(file), { selection: new vscode.Range(at, at) })
}

const webEndpoints = (endpoints: readonly EndpointView[]): string[] =>
  endpoints.flatMap(({ url }) => (/^https?:\/\//.test(url) ? [url] : []))

function showError(thrown: unknown): void {
  const { message, info } = thrown as { message?: string; info?: { help?: string } }
  void vscode.window.showErrorMessage(harmless([message ?? String(thrown), info?.help ?? ''].join(' ').trim()))
}
