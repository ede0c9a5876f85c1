// esbuild's errors as devloop's: syntax errors and imports that cannot be found, with the files that would mend them.
import { basename, dirname, extname, resolve } from 'node:path'
import type { Message } from 'esbuild'
import { errorCodes } from '../errors/codes.js'
import type { ErrorInfo, SourcePosition } from '../errors/devloop-error.js'
import * as api from '../index.js'
import { didYouMean, listed } from '../errors/did-you-mean.js'

/** @returns `missing`: paths where a file would mend an import */
export function bundleErrors(
  messages: readonly Message[],
  root: string,
): { errors: readonly ErrorInfo[]; missing: readonly string[] } {
  const missing: string[] = []
  const errors = messages.map((message) => {
    const where = positionOf(message, root)
    const unresolved = /^Could not resolve "(.*)"/.exec(message.text)?.[1]
    if (unresolved !== undefined) {
      const importer = where?.file ?? root
      missing.push(...candidates(unresolved, dirname(importer)))
      return importError(unresolved, importer, message, where)
    }
    const [, module = '', name] = /^No matching export in "(.*)" for import "(.*)"/.exec(message.text) ?? []
    if (name !== undefined) return exportError(module, name, message, where, root)
    return info('devloopfile/syntax', `${capital(message.text)}.`, sourceLine(message), where, notesOf(message))
  })
  return { errors, missing }
}

function importError(specifier: string, importer: string, message: Message, where: SourcePosition | undefined): ErrorInfo {
  const relative = /^\.{0,2}\//.test(specifier)
  const what = relative ? `Cannot find '${specifier}'` : `Cannot find the package '${specifier}'`
  const help = relative
    ? 'Correct the path, or create the file.'
    : `Install it (npm install --save-dev ${packageOf(specifier)}), or correct its name.`
  return info('devloopfile/import', `${what}, which ${basename(importer)} imports.`, sourceLine(message), where, help)
}

function exportError(module: string, name: string, message: Message, where: SourcePosition | undefined, root: string): ErrorInfo {
  // The only modules whose exports are known here are devloop's own.
  const own = where && /\bfrom\s+['"]devloop['"]|require\(['"]devloop['"]/.test(message.location?.lineText ?? '')
  const names = Object.keys(api)
  const from = own ? 'devloop' : basename(resolve(root, module))
  const help = own ? (didYouMean(name, names) ?? `It exports ${listed(names)}.`) : `Correct the name, or export it from ${from}.`
  return info('devloopfile/import', `${from} exports no '${name}'.`, sourceLine(message), where, help)
}

const info = (
  code: ErrorInfo['code'],
  message: string,
  why: string | undefined,
  where: SourcePosition | undefined,
  help: string | undefined,
): ErrorInfo => ({
  code,
  message,
  ...(why ? { why } : {}),
  ...(where ? { where } : {}),
  help: help ?? errorCodes[code].help,
})

/** esbuild counts columns in bytes from 0. */
function positionOf({ location }: Message, root: string): SourcePosition | undefined {
  if (!location) return undefined
  const before = Buffer.from(location.lineText).subarray(0, location.column).toString()
  return { file: resolve(root, location.file), line: location.line, column: before.length + 1 }
}

const sourceLine = ({ location }: Message): string | undefined => location?.lineText.trim() || undefined

const notesOf = ({ notes }: Message): string | undefined => notes.map(({ text }) => text).join('\n') || undefined

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

const endings = ['.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json']

/** Where a file or package would be found. */
function candidates(specifier: string, folder: string): readonly string[] {
  if (!/^\.{0,2}\//.test(specifier) && !specifier.startsWith('/')) {
    const above: string[] = []
    for (let at = folder; ; at = dirname(at)) {
      above.push(resolve(at, 'node_modules', packageOf(specifier), 'package.json'))
      if (dirname(at) === at) return above
    }
  }
  const path = resolve(folder, specifier)
  const bare = path.slice(0, path.length - extname(path).length)
  const typed = /^\.[mc]?jsx?$/.test(extname(path)) ? ['.ts', '.tsx', '.mts', '.cts'].map((ending) => bare + ending) : []
  return [path, ...endings.map((ending) => path + ending), ...typed, resolve(path, 'index.ts'), resolve(path, 'index.js')]
}
