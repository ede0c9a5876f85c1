// Looks for what the texts of a component say: ports, and other things that one pattern tells.
import type { SourceTree } from './source-tree.js'
import { inFolder, isWithin } from './source-tree.js'

/** Most files of one component that are searched. */
const mostFiles = 400

/** Names that hold tests and samples: what they say is not what the app does. */
const noApp =
  /(^|\/)(tests?|__tests__|spec|fixtures?|examples?|samples?|docs?|e2e|migrations)\/|[._-](test|spec)\.\w+$|(^|\/)test_\w+\.py$|_test\.go$/

/**
 * The source files of a component in the order of their paths, those nearest to its folder first.
 * @param endings such as `['.js', '.ts']`
 */
export function sourceFiles(tree: SourceTree, folder: string, endings: readonly string[]): readonly string[] {
  const depth = (path: string): number => path.split('/').length
  return tree.paths
    .filter((path) => isWithin(path, folder) && endings.some((ending) => path.endsWith(ending)))
    .filter((path) => !noApp.test(path.slice(folder.length)) && !/(^|\/)Devloopfile[^/]*$/.test(path))
    .sort((a, b) => depth(a) - depth(b))
    .slice(0, mostFiles)
}

/** The first match in these files, with its file. The patterns come first: the first pattern in any file wins over the second. */
export function findInFiles(
  tree: SourceTree,
  files: readonly string[],
  patterns: readonly RegExp[],
): { readonly match: RegExpExecArray; readonly proof: string } | undefined {
  for (const pattern of patterns)
    for (const proof of files) {
      const match = pattern.exec(tree.read(proof) ?? '')
      if (match) return { match, proof }
    }
  return undefined
}

export interface Port {
  readonly number: number
  /** The file that says so. */
  readonly proof: string
  /** No file says which: it is what is usual. */
  readonly assumed?: boolean
}

/**
 * The port that a component listens on: what an example of its environment says (`PORT=4000` in `.env.example`), else the first pattern's
 * first group in its files.
 */
export function findPort(
  tree: SourceTree,
  folder: string,
  files: readonly string[],
  patterns: readonly RegExp[],
): Port | undefined {
  const examples = ['.env.example', '.env.sample', '.env.template', '.env.dist'].map((name) => inFolder(folder, name))
  const found = findInFiles(tree, examples, [/^(?:export\s+)?PORT\s*=\s*["']?(\d{2,5})\b/m]) ?? findInFiles(tree, files, patterns)
  const number = Number(found?.match[1])
  return found && number > 0 && number < 65_536 ? { number, proof: found.proof } : undefined
}
