// A source tree as the detectors see it: sorted paths and small texts, without what is not source.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DevloopError } from '../errors/devloop-error.js'
import { compileGlobs } from '../model/globs.js'

export interface SourceTree {
  /** Paths of all files, relative to the root, with `/`, in the order of their code units. */
  readonly paths: readonly string[]
  /** Folders that hold something, '' first, in the same order. */
  readonly folders: readonly string[]
  /** Whether there is this file. */
  has(path: string): boolean
  /** Text of a file; undefined where there is none, or it is longer than 1 MB. */
  read(path: string): string | undefined
  /** Names of the files in a folder, not below. */
  files(folder: string): readonly string[]
}

/** What is never source: version control, dependencies, what builds write, editors, and secrets. */
const neverSource = new Set([
  ...['.git', '.hg', '.svn', '.jj', '.idea', '.vscode', '.devloop', '.github', '.circleci'],
  ...['node_modules', 'bower_components', 'vendor', '.venv', 'venv', '__pycache__', '.tox', '.mypy_cache', '.pytest_cache'],
  ...[
    'target',
    'dist',
    'build',
    'out',
    'bin',
    'obj',
    '.next',
    '.nuxt',
    '.svelte-kit',
    '.output',
    '.gradle',
    '.turbo',
    '.cache',
    'coverage',
  ],
])
/** Folders of these names are source in some ecosystems; they are looked into when they hold a file that says so. */
const sometimesSource: Readonly<Record<string, RegExp>> = { bin: /\.(rb|js|ts|mjs|py|sh)$|^(rails|www)$/ }

const limits = { files: 50_000, depth: 12, bytes: 1_000_000 }

/**
 * Read a folder. Left out are dependencies, build output, files that hold secrets (`.env`), and what the `.gitignore` and
 * `.devloopignore` at its root name. Links are not followed.
 * @throws DevloopError init/folder
 */
export function readSourceTree(root: string): SourceTree {
  const ignored = compileGlobs(
    ['.gitignore', '.devloopignore'].flatMap((name) => ignoreGlobs(optional(() => readFileSync(join(root, name), 'utf8')) ?? '')),
  )
  const paths: string[] = []
  const visit = (folder: string, depth: number): void => {
    const entries = optional(() => readdirSync(join(root, folder), { withFileTypes: true }))
    if (!entries) {
      if (folder === '') throw new DevloopError('init/folder', `The folder ${root} cannot be read.`)
      return
    }
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (ignored(path)) continue
      if (entry.isDirectory()) {
        if (depth < limits.depth && isSource(root, path, entry.name)) visit(path, depth + 1)
      } else if (entry.isFile() && !isSecret(entry.name)) {
        paths.push(path)
        if (paths.length > limits.files)
          throw new DevloopError('init/folder', `The folder ${root} has more than ${limits.files} files.`, {
            help: 'Run `devloop init` in the folder of one project, or name what is not source in .devloopignore.',
          })
      }
    }
  }
  visit('', 0)
  return makeTree(paths, (path) => {
    const file = join(root, path)
    return statSync(file).size > limits.bytes ? undefined : readFileSync(file, 'utf8')
  })
}

/** A tree that is given as path to text. */
export const sourceTreeOf = (files: Readonly<Record<string, string>>): SourceTree =>
  makeTree(Object.keys(files), (path) => files[path])

function makeTree(unsorted: readonly string[], load: (path: string) => string | undefined): SourceTree {
  const paths = [...unsorted].sort(byCodeUnit)
  const byFolder = new Map<string, string[]>([['', []]])
  for (const path of paths) {
    const slash = path.lastIndexOf('/')
    for (let end = slash; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end)
      if (!byFolder.has(folder)) byFolder.set(folder, [])
    }
    byFolder.get(slash < 0 ? '' : path.slice(0, slash))?.push(path.slice(slash + 1))
  }
  const known = new Set(paths)
  const texts = new Map<string, string | undefined>()
  return {
    paths,
    folders: [...byFolder.keys()].sort(byCodeUnit),
    has: (path) => known.has(path),
    read(path) {
      if (!known.has(path)) return undefined
      if (!texts.has(path)) texts.set(path, optional(() => load(path))?.replace(/^\uFEFF/, ''))
      return texts.get(path)
    },
    files: (folder) => byFolder.get(folder) ?? [],
  }
}

/** The path of a file in a folder of the tree. */
export const inFolder = (folder: string, name: string): string =>
  folder === '' ? name : name === '' ? folder : `${folder}/${name}`

/** The folder above; undefined for the root. */
export const folderAbove = (folder: string): string | undefined =>
  folder === '' ? undefined : folder.includes('/') ? folder.slice(0, folder.lastIndexOf('/')) : ''

/** Whether a path is the folder, or lies in it. */
export const isWithin = (path: string, folder: string): boolean =>
  folder === '' || path === folder || path.startsWith(`${folder}/`)

/** A path as seen from a folder that it lies in. */
export const pathWithin = (path: string, folder: string): string =>
  folder === '' ? path : path === folder ? '' : path.slice(folder.length + 1)

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function isSource(root: string, path: string, name: string): boolean {
  const proof = sometimesSource[name]
  if (proof) return optional(() => readdirSync(join(root, path)))?.some((file) => proof.test(file)) ?? false
  return !neverSource.has(name)
}

/** Files that hold values of one developer's own; their examples are source. */
const isSecret = (name: string): boolean =>
  (/^\.env($|\.)/.test(name) && !/\.(example|sample|template|dist|defaults)$/.test(name)) || /\.(pem|key|p12|pfx|jks)$/.test(name)

/** The lines of a .gitignore as globs, as far as they can be said so; exceptions (`!`) are not looked at. */
function ignoreGlobs(text: string): readonly string[] {
  return text.split(/\r?\n/).flatMap((raw) => {
    const line = raw.trim().replace(/\/+$/, '')
    if (line === '' || line.startsWith('#') || line.startsWith('!')) return []
    return line.includes('/') ? [line.replace(/^\/+/, '')] : [line, `**/${line}`]
  })
}

function optional<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
