// The classes and enumerations of VS Code's API that the extension uses, in memory.
import type * as vscode from 'vscode'

export class Disposable {
  readonly #end: () => unknown
  constructor(end: () => unknown) {
    this.#end = end
  }
  static from(...all: { dispose: () => unknown }[]): Disposable {
    return new Disposable(() => all.forEach((one) => one.dispose()))
  }
  dispose(): void {
    this.#end()
  }
}

export class EventEmitter<T> {
  readonly #listeners = new Set<(event: T) => unknown>()
  readonly event = (listener: (event: T) => unknown): Disposable => {
    this.#listeners.add(listener)
    return new Disposable(() => this.#listeners.delete(listener))
  }
  fire(event: T): void {
    for (const listener of this.#listeners) listener(event)
  }
  dispose(): void {
    this.#listeners.clear()
  }
}

export class Uri {
  readonly authority = ''
  readonly query = ''
  readonly scheme: string
  readonly path: string
  readonly fragment: string
  private constructor(scheme: string, path: string, fragment: string) {
    this.scheme = scheme
    this.path = path
    this.fragment = fragment
  }
  static file(path: string): vscode.Uri {
    return new Uri('file', path, '')
  }
  static parse(text: string): vscode.Uri {
    const match = /^([a-z]+):([^#]*)(?:#(.*))?$/.exec(text)
    if (!match) throw new Error(`not an address: ${text}`)
    return new Uri(match[1] ?? '', match[2] ?? '', match[3] ?? '')
  }
  get fsPath(): string {
    return this.path
  }
  with({ fragment }: { fragment?: string | null }): vscode.Uri {
    return new Uri(this.scheme, this.path, fragment ?? this.fragment)
  }
  /** As VS Code writes it: much is encoded that need not be. */
  toString(): string {
    const fragment = this.fragment === '' ? '' : `#${encodeURIComponent(this.fragment)}`
    return `${this.scheme}:${this.scheme === 'file' ? '//' : ''}${this.path}${fragment}`
  }
  toJSON(): string {
    return this.toString()
  }
}

export class Position {
  readonly line: number
  readonly character: number
  constructor(line: number, character: number) {
    this.line = line
    this.character = character
    if (line < 0 || character < 0 || !Number.isInteger(line + character)) throw new Error(`no position: ${line}:${character}`)
  }
}

export class Range {
  readonly start: Position
  readonly end: Position
  constructor(start: Position | number, end: Position | number, line?: number, character?: number) {
    const numbers = typeof start === 'number'
    this.start = numbers ? new Position(start, end as number) : start
    this.end = numbers ? new Position(line ?? 0, character ?? 0) : (end as Position)
  }
}

export class Location {
  readonly range: Range
  readonly uri: vscode.Uri
  constructor(uri: vscode.Uri, at: Position | Range) {
    this.uri = uri
    this.range = at instanceof Range ? at : new Range(at, at)
  }
}

export class DiagnosticRelatedInformation {
  readonly location: Location
  readonly message: string
  constructor(location: Location, message: string) {
    this.location = location
    this.message = message
  }
}

export class Diagnostic {
  source?: string
  code?: string | number
  relatedInformation?: DiagnosticRelatedInformation[]
  readonly range: Range
  readonly message: string
  readonly severity: number
  constructor(range: Range, message: string, severity: number = DiagnosticSeverity.Error) {
    this.range = range
    this.message = message
    this.severity = severity
  }
}

export class ThemeColor {
  readonly id: string
  constructor(id: string) {
    this.id = id
  }
}

export class ThemeIcon {
  readonly id: string
  readonly color: ThemeColor | undefined
  constructor(id: string, color?: ThemeColor) {
    this.id = id
    this.color = color
  }
}

export class TreeItem {
  id?: string
  description?: string | boolean
  tooltip?: string
  contextValue?: string
  iconPath?: ThemeIcon
  command?: vscode.Command
  readonly label: string
  readonly collapsibleState: number
  constructor(label: string, collapsibleState: number = TreeItemCollapsibleState.None) {
    this.label = label
    this.collapsibleState = collapsibleState
  }
}

export class RelativePattern {
  readonly baseUri: vscode.Uri
  readonly pattern: string
  constructor(base: vscode.Uri, pattern: string) {
    this.pattern = pattern
    this.baseUri = base
  }
}

export const StatusBarAlignment = { Left: 1, Right: 2 } as const
export const TreeItemCollapsibleState = { None: 0, Collapsed: 1, Expanded: 2 } as const
export const DiagnosticSeverity = { Error: 0, Warning: 1, Information: 2, Hint: 3 } as const
