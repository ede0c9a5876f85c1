// The inputs of a plan: files and globs collected during a load, in the form that the watcher takes.
import { compileGlobs } from '../model/globs.js'
import type { PlanInput } from '../model/plan-input.js'

/** Files that match a pattern below a folder. */
export interface InputGlob {
  /** Absolute. */
  readonly base: string
  /** Relative to `base`. */
  readonly pattern: string
}

/** Folders that a glob enters only where it names them. */
const heavy: ReadonlySet<string> = new Set(['node_modules', '.git'])

/**
 * Whether a folder below a glob's base need not be entered, because nothing in it can match.
 * @returns takes a path relative to the base, with `/`
 */
export function globPrunes(pattern: string): (folder: string) => boolean {
  const parts = pattern.split('/')
  const deep = parts.some((part) => part.includes('**')) || /[{(]/.test(pattern)
  const matchers = parts.map((part) => compileGlobs([part]))
  return (folder) => {
    if (folder === '') return false
    const names = folder.split('/')
    if (names.some((name) => heavy.has(name) && !parts.includes(name))) return true
    return !deep && (names.length >= parts.length || !names.every((name, index) => matchers[index]?.(name)))
  }
}

/** Whether a path below a glob's base (relative, with `/`) is one of its files. A folder that matches does not cover what is in it. */
export function globMatches(pattern: string): (path: string) => boolean {
  const matches = compileGlobs([pattern])
  const prunes = globPrunes(pattern)
  return (path) => matches(path) && !prunes(path.slice(0, Math.max(0, path.lastIndexOf('/'))))
}

/** One input for each file and each glob; none twice. */
export function planInputs(files: Iterable<string>, globs: Iterable<InputGlob>): readonly PlanInput[] {
  const inputs: PlanInput[] = [...new Set(files)].map((root) => ({ root, matches: (path) => path === '' }))
  const seen = new Set<string>()
  for (const { base, pattern } of globs) {
    const key = `${base}\0${pattern}`
    if (seen.has(key)) continue
    seen.add(key)
    inputs.push({ root: base, matches: globMatches(pattern), prunes: globPrunes(pattern) })
  }
  return inputs
}

/** Whether a change of this absolute path asks for another load. */
export const isInput = (inputs: readonly PlanInput[], path: string): boolean =>
  inputs.some(({ root, matches }) => path === root || (path.startsWith(`${root}/`) && matches(path.slice(root.length + 1))))
