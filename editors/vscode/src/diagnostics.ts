// Problems of one project as diagnostics: the errors that name a file, and what compilers said in the words of others.
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { harmless, type LogEntry } from 'devloop/client'
import * as vscode from 'vscode'
import { parseOutput, type Finding, type Place } from './compiler-output.js'
import { locateFile, type FileLookup } from './locate-file.js'
import { byFile, foundProblem, lastRun, placedProblems, spokenErrors, type Problem, type Spoken } from './problems.js'
import type { Project } from './project.js'
import { isBelow } from './projects.js'

export interface ProjectDiagnostics extends vscode.Disposable {
  update(): void
}

/** Lines of a local's log that are read for its last run. */
const logLines = 500
const logWaitMs = 10_000

export function createDiagnostics(project: Project): ProjectDiagnostics {
  const collection = vscode.languages.createDiagnosticCollection('devloop')
  /** What was found in the words of an error, by its fingerprint; undefined while they are being read. */
  let found = new Map<string, readonly Problem[] | undefined>()
  let shown = new Map<string, string>()
  let closed = false

  async function read(spoken: Spoken): Promise<void> {
    const lines = 'logOf' in spoken.words ? await lastRunOf(project, spoken.words.logOf) : spoken.words
    const lookup = lookupOf(project, spoken)
    const problems: Problem[] = []
    for (const finding of parseOutput(lines.map(harmless))) {
      const at = await placeOf(finding, lookup)
      if (at) problems.push(foundProblem(spoken, finding, at))
    }
    // it may have been mended meanwhile
    if (closed || !found.has(spoken.fingerprint)) return
    found.set(spoken.fingerprint, problems)
    draw()
  }

  function draw(): void {
    const files = byFile([...[...found.values()].flatMap((one) => one ?? []), ...placedProblems(project.views())])
    const next = new Map([...files].map(([file, problems]) => [file, JSON.stringify(problems)]))
    for (const file of shown.keys()) if (!next.has(file)) collection.delete(vscode.Uri.file(file))
    for (const [file, problems] of files)
      if (shown.get(file) !== next.get(file)) collection.set(vscode.Uri.file(file), problems.map(diagnosticOf))
    shown = next
  }

  return {
    update() {
      const spoken = spokenErrors(project.views())
      const fresh = spoken.filter(({ fingerprint }) => !found.has(fingerprint))
      found = new Map(spoken.map(({ fingerprint }) => [fingerprint, found.get(fingerprint)]))
      draw()
      for (const one of fresh) void read(one).catch(() => found.delete(one.fingerprint))
    },
    dispose() {
      closed = true
      collection.dispose()
    },
  }
}

/** The newest lines of a resource's log, once. */
function lastRunOf({ client }: Project, resource: string): Promise<string[]> {
  return new Promise((resolve) => {
    const entries: LogEntry[] = []
    const done = (): void => {
      clearTimeout(timer)
      end()
      resolve(lastRun(entries))
    }
    const timer = setTimeout(done, logWaitMs)
    const end = client.logs({ resources: [resource], tail: logLines }, ({ lines, caughtUp }) => {
      entries.push(...lines)
      if (caughtUp) done()
    })
  })
}

function lookupOf({ devloopfile }: Project, { error }: Spoken): FileLookup {
  const root = dirname(devloopfile)
  const roots = [root, ...(vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath)]
  return {
    folders: [...new Set([...(error.where ? [dirname(error.where.file)] : []), ...roots])],
    has: (path) => roots.some((one) => isBelow(one, path)) && existsSync(path),
    async named(name) {
      // characters that mean something in a pattern match any one
      const files = await vscode.workspace.findFiles(`**/${name.replace(/[[\]{}*?,\\]/g, '?')}`, '**/node_modules/**', 100)
      return files.map((one) => one.fsPath)
    },
  }
}

async function placeOf({ places }: Finding, lookup: FileLookup): Promise<Place | undefined> {
  for (const one of places) {
    const path = await locateFile(one.path, lookup)
    if (path !== undefined) return { ...one, path }
  }
  return undefined
}

function diagnosticOf({ line, column, severity, message, code, subjects, during }: Problem): vscode.Diagnostic {
  const diagnostic = new vscode.Diagnostic(
    // of an empty range the editor marks the word
    column === undefined
      ? new vscode.Range(line - 1, 0, line - 1, 1_000)
      : new vscode.Range(line - 1, column - 1, line - 1, column - 1),
    message,
    severity === 'error' ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning,
  )
  diagnostic.source = `devloop ${subjects.join(', ')}`
  if (code !== undefined) diagnostic.code = code
  if (during) {
    const at = new vscode.Location(vscode.Uri.file(during.file), new vscode.Position(during.line - 1, 0))
    diagnostic.relatedInformation = [new vscode.DiagnosticRelatedInformation(at, during.message)]
  }
  return diagnostic
}
