// The part of VS Code's API that the extension uses, in memory; `editor` is what a person would see and do. Each part is held against
// VS Code's own types, so that it cannot become another API than the real one.
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import picomatch from 'picomatch'
import type * as vscode from 'vscode'
import * as values from './vscode-values.js'

export * from './vscode-values.js'
const { Disposable, EventEmitter, Uri, StatusBarAlignment } = values
type Diagnostic = values.Diagnostic

// ---- what is seen and done

interface Choice {
  readonly label: string
  readonly description?: string
  readonly detail?: string
}

interface Channel {
  readonly name: string
  readonly languageId: string
  text: string
  shown: number
}

const emitters = {
  activeTextEditor: new EventEmitter<vscode.TextEditor | undefined>(),
  folders: new EventEmitter<vscode.WorkspaceFoldersChangeEvent>(),
  trust: new EventEmitter<void>(),
  configuration: new EventEmitter<vscode.ConfigurationChangeEvent>(),
  debugStart: new EventEmitter<vscode.DebugSession>(),
  debugEnd: new EventEmitter<vscode.DebugSession>(),
  created: new EventEmitter<vscode.Uri>(),
  deleted: new EventEmitter<vscode.Uri>(),
}

const fresh = () => ({
  folders: [] as vscode.WorkspaceFolder[],
  trusted: true,
  /** Settings by full name. */
  settings: {} as Record<string, unknown>,
  active: undefined as string | undefined,
  statusBar: undefined as (Partial<vscode.StatusBarItem> & { visible: boolean }) | undefined,
  trees: new Map<string, vscode.TreeDataProvider<unknown>>(),
  drawn: 0,
  collections: new Set<Map<string, readonly Diagnostic[]>>(),
  channels: [] as Channel[],
  terminals: [] as { options: vscode.TerminalOptions; shown: number; exitStatus: undefined }[],
  commands: new Map<string, (...args: never[]) => unknown>(),
  contexts: {} as Record<string, unknown>,
  /** Built-in commands that were called. */
  called: [] as string[],
  /** What was opened outside. */
  external: [] as string[],
  /** Documents that were shown, as FILE:LINE. */
  documents: [] as string[],
  messages: [] as string[],
  /** Lists that were shown, and the labels by which the next are answered. */
  lists: [] as (readonly Choice[])[],
  picks: [] as string[],
  sessions: [] as { id: string; configuration: vscode.DebugConfiguration; ended: boolean }[],
})

export const editor = {
  ...fresh(),
  reset(): void {
    Object.assign(editor, fresh())
    for (const emitter of Object.values(emitters)) emitter.dispose()
  },
  open(...folders: string[]): void {
    const list = folders.map((path, index) => ({ uri: Uri.file(path), name: path.split('/').at(-1) ?? '', index }))
    const removed = editor.folders
    editor.folders = list
    emitters.folders.fire({ added: list, removed })
  },
  edit(path: string | undefined): void {
    editor.active = path
    emitters.activeTextEditor.fire(window.activeTextEditor)
  },
  trust(): void {
    editor.trusted = true
    emitters.trust.fire()
  },
  set(name: string, value: unknown): void {
    editor.settings[name] = value
    emitters.configuration.fire({ affectsConfiguration: (section) => name === section || name.startsWith(`${section}.`) })
  },
  created: (path: string): void => emitters.created.fire(Uri.file(path)),
  /** Runs a command as a person does. */
  run: async (command: string, ...args: unknown[]): Promise<void> => void (await commands.executeCommand(command, ...args)),
  /** All diagnostics, as `FILE:LINE:COLUMN severity source: first line [code]`; lines and columns count from 1 as editors show them. */
  problems(root: string): string[] {
    return [...editor.collections]
      .flatMap((one) => [...one])
      .flatMap(([file, list]) =>
        list.map(({ range, severity, source, message, code }) => {
          const at = `${relative(root, file)}:${range.start.line + 1}:${range.start.character + 1}`
          return `${at} ${severity === 0 ? 'error' : 'warning'} ${source}: ${message.split('\n')[0]} [${code}]`
        }),
      )
      .toSorted()
  },
  diagnostics: (file: string): Diagnostic[] => [...editor.collections].flatMap((one) => one.get(file) ?? []),
  /** A tree as lines, indented; with `[icon]` and description. */
  async tree(id: string): Promise<string[]> {
    const lines: string[] = []
    for (const { depth, item } of await editor.items(id)) {
      const icon = (item.iconPath as vscode.ThemeIcon | undefined)?.id
      lines.push(
        `${'  '.repeat(depth)}[${icon}] ${[item.label, item.description].filter((one) => typeof one === 'string').join(': ')}`,
      )
    }
    return lines
  },
  async items(id: string): Promise<{ depth: number; node: unknown; item: vscode.TreeItem }[]> {
    const provider = editor.trees.get(id)
    if (!provider) throw new Error(`there is no tree ${id}`)
    const all: { depth: number; node: unknown; item: vscode.TreeItem }[] = []
    const walk = async (node: unknown, depth: number): Promise<void> => {
      for (const child of (await provider.getChildren(node)) ?? []) {
        const item = await provider.getTreeItem(child)
        if (all.some((one) => one.item.id === item.id)) throw new Error(`two nodes have the id ${item.id}`)
        all.push({ depth, node: child, item })
        await walk(child, depth + 1)
      }
    }
    await walk(undefined, 0)
    return all
  },
  channel: (name: string): Channel | undefined => editor.channels.find((one) => one.name === name),
}

// ---- the API

export const window = {
  get activeTextEditor() {
    if (editor.active === undefined) return undefined
    return { document: { uri: Uri.file(editor.active) } } as vscode.TextEditor
  },
  get terminals() {
    return editor.terminals.map(
      (one) => ({ ...one, name: one.options.name, show: () => one.shown++ }) as unknown as vscode.Terminal,
    )
  },
  onDidChangeActiveTextEditor: emitters.activeTextEditor.event,
  createStatusBarItem(id?: string | vscode.StatusBarAlignment) {
    const item = {
      id,
      alignment: StatusBarAlignment.Left,
      text: '',
      visible: false,
      show: () => void (item.visible = true),
      hide: () => void (item.visible = false),
      dispose: () => void (item.visible = false),
    }
    editor.statusBar = item as unknown as NonNullable<typeof editor.statusBar>
    return item as unknown as vscode.StatusBarItem
  },
  createTreeView<T>(id: string, { treeDataProvider }: vscode.TreeViewOptions<T>) {
    editor.trees.set(id, treeDataProvider as vscode.TreeDataProvider<unknown>)
    treeDataProvider.onDidChangeTreeData?.(() => void editor.drawn++)
    return new Disposable(() => editor.trees.delete(id)) as unknown as vscode.TreeView<T>
  },
  createOutputChannel(name: string, languageId?: string | { log: true }) {
    const channel: Channel = { name, languageId: typeof languageId === 'string' ? languageId : '', text: '', shown: 0 }
    editor.channels.push(channel)
    return {
      name,
      append: (text: string) => void (channel.text += text),
      show: () => void channel.shown++,
      dispose: () => void (editor.channels = editor.channels.filter((one) => one !== channel)),
    } as unknown as vscode.LogOutputChannel
  },
  createTerminal(given?: unknown) {
    const options = given as vscode.TerminalOptions
    const terminal = { options, shown: 0, exitStatus: undefined }
    editor.terminals.push(terminal)
    return { name: options.name, show: () => terminal.shown++ } as unknown as vscode.Terminal
  },
  async showQuickPick(items: unknown) {
    const list = (items as (Choice | string)[]).map((one) => (typeof one === 'string' ? { label: one } : one))
    editor.lists.push(list)
    const wanted = editor.picks.shift()
    const index = wanted === undefined ? -1 : list.findIndex(({ label }) => label.includes(wanted))
    if (wanted !== undefined && index < 0) throw new Error(`${wanted} is not in ${JSON.stringify(list)}`)
    return (items as unknown[])[index] as undefined
  },
  async showInformationMessage(message: string) {
    editor.messages.push(message)
    return undefined
  },
  async showErrorMessage(message: string) {
    editor.messages.push(message)
    return undefined
  },
  async showTextDocument(uri: unknown, options?: unknown) {
    const line = ((options as vscode.TextDocumentShowOptions).selection?.start.line ?? 0) + 1
    editor.documents.push(`${(uri as vscode.Uri).fsPath}:${line}`)
    return {} as vscode.TextEditor
  },
} satisfies Partial<typeof vscode.window>

export const workspace = {
  get workspaceFolders() {
    return editor.folders.length === 0 ? undefined : editor.folders
  },
  get isTrusted() {
    return editor.trusted
  },
  onDidChangeWorkspaceFolders: emitters.folders.event,
  onDidGrantWorkspaceTrust: emitters.trust.event,
  onDidChangeConfiguration: emitters.configuration.event,
  getConfiguration(section?: string) {
    const get = (name: string, otherwise?: unknown): unknown => editor.settings[`${section}.${name}`] ?? otherwise
    return { get } as vscode.WorkspaceConfiguration
  },
  async findFiles(include: vscode.GlobPattern, exclude?: vscode.GlobPattern | null, most = Infinity) {
    const [folders, pattern] =
      typeof include === 'string'
        ? [editor.folders.map(({ uri }) => uri.fsPath), include]
        : [[include.baseUri.fsPath], include.pattern]
    const matches = picomatch(pattern, { dot: true })
    const excludes = picomatch(typeof exclude === 'string' ? exclude : [], { dot: true })
    return folders
      .flatMap((folder) => filesBelow(folder, folder, excludes).filter((path) => matches(relative(folder, path))))
      .slice(0, most)
      .map((path) => Uri.file(path))
  },
  createFileSystemWatcher() {
    return {
      onDidCreate: emitters.created.event,
      onDidDelete: emitters.deleted.event,
      dispose: () => undefined,
    } as unknown as vscode.FileSystemWatcher
  },
  asRelativePath(path: string | vscode.Uri) {
    const file = typeof path === 'string' ? path : path.fsPath
    const folder = editor.folders.find(({ uri }) => file.startsWith(`${uri.fsPath}/`))
    return folder ? relative(folder.uri.fsPath, file) : file
  },
} satisfies Partial<typeof vscode.workspace>

function filesBelow(root: string, folder: string, excludes: (path: string) => boolean): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((one) => {
    const path = join(folder, one.name)
    if (excludes(relative(root, path)) || excludes(`${relative(root, path)}/x`)) return []
    return one.isDirectory() ? filesBelow(root, path, excludes) : [path]
  })
}

export const languages = {
  createDiagnosticCollection(name?: string) {
    const files = new Map<string, readonly Diagnostic[]>()
    editor.collections.add(files)
    return {
      name: name ?? '',
      set: (uri: vscode.Uri, list: readonly Diagnostic[]) => void files.set(uri.fsPath, list),
      delete: (uri: vscode.Uri) => void files.delete(uri.fsPath),
      dispose: () => void editor.collections.delete(files),
    } as unknown as vscode.DiagnosticCollection
  },
} satisfies Partial<typeof vscode.languages>

export const commands = {
  registerCommand(name: string, run: (...args: never[]) => unknown) {
    if (editor.commands.has(name)) throw new Error(`there are two commands ${name}`)
    editor.commands.set(name, run)
    return new Disposable(() => editor.commands.delete(name))
  },
  async executeCommand<T>(name: string, ...args: unknown[]) {
    const own = editor.commands.get(name) as ((...given: unknown[]) => T) | undefined
    if (own) return own(...args)
    if (name.startsWith('devloop.') && name !== 'devloop.resources.focus') throw new Error(`there is no command ${name}`)
    if (name === 'setContext') editor.contexts[String(args[0])] = args[1]
    else editor.called.push(name)
    return undefined as T
  },
} satisfies Partial<typeof vscode.commands>

export const env = {
  asExternalUri: async (uri: vscode.Uri) => uri,
  // the real one takes texts too
  async openExternal(uri: vscode.Uri | string) {
    editor.external.push(uri.toString())
    return true
  },
} satisfies Partial<typeof vscode.env>

export const debug = {
  onDidStartDebugSession: emitters.debugStart.event,
  onDidTerminateDebugSession: emitters.debugEnd.event,
  async startDebugging(_folder: vscode.WorkspaceFolder | undefined, given: string | vscode.DebugConfiguration) {
    const session = { id: String(editor.sessions.length), configuration: given as vscode.DebugConfiguration, ended: false }
    editor.sessions.push(session)
    emitters.debugStart.fire(session as unknown as vscode.DebugSession)
    return true
  },
  async stopDebugging(session?: vscode.DebugSession) {
    const one = editor.sessions.find(({ id }) => id === session?.id)
    if (!one || one.ended) return
    one.ended = true
    emitters.debugEnd.fire(session as vscode.DebugSession)
  },
} satisfies Partial<typeof vscode.debug>

// ---- the classes and enumerations, held against the real ones: what they are made with, and what is read of them

type Like<Real extends abstract new (...args: never) => unknown, Own> = new (
  ...args: ConstructorParameters<Real>
) => Pick<InstanceType<Real>, keyof InstanceType<Real> & keyof Own>
type Values<Enum> = { readonly [Name in keyof Enum as Name extends string ? Name : never]: number }

void ({
  Position: values.Position satisfies Like<typeof vscode.Position, values.Position>,
  ThemeColor: values.ThemeColor satisfies new (id: string) => Pick<vscode.ThemeColor, 'id'>,
  ThemeIcon: values.ThemeIcon satisfies new (id: string, color?: values.ThemeColor) => Pick<vscode.ThemeIcon, 'id'>,
  RelativePattern: values.RelativePattern satisfies new (
    base: vscode.Uri,
    pattern: string,
  ) => Pick<vscode.RelativePattern, 'pattern' | 'baseUri'>,
  Disposable: values.Disposable satisfies Pick<typeof vscode.Disposable, 'from'>,
  Uri: values.Uri satisfies Pick<typeof vscode.Uri, 'file' | 'parse'>,
  StatusBarAlignment: StatusBarAlignment satisfies Values<typeof vscode.StatusBarAlignment>,
  TreeItemCollapsibleState: values.TreeItemCollapsibleState satisfies Values<typeof vscode.TreeItemCollapsibleState>,
  DiagnosticSeverity: values.DiagnosticSeverity satisfies Values<typeof vscode.DiagnosticSeverity>,
  EventEmitter: values.EventEmitter,
  Range: values.Range,
  Location: values.Location,
  Diagnostic: values.Diagnostic,
  DiagnosticRelatedInformation: values.DiagnosticRelatedInformation,
  TreeItem: values.TreeItem,
} satisfies Record<keyof typeof values, unknown> & Partial<Record<keyof typeof vscode, unknown>>)
