// Where a watched root really is, and which names decide it.
import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import { dirname, join, parse } from 'node:path'

/** Tells one directory from another that took its name. */
export interface Identity {
  readonly ino: number
  /** Milliseconds, 0 where the file system does not keep it: then inode numbers may be reused unnoticed. */
  readonly birth: number
}

export interface RootPlace extends Identity {
  readonly kind: 'directory' | 'file' | 'missing'
  /** The path without symbolic links; for a missing root, as far as it can be told. */
  readonly real: string
  /** Names in directories that, if they change, may put the root somewhere else: its own, those above it, those of symbolic links. */
  readonly anchors: readonly Anchor[]
}

export interface Anchor {
  readonly directory: string
  readonly name: string
}

const maxLinks = 40

const separator = process.platform === 'win32' ? /[/\\]/ : '/'

/** Elsewhere a watch of a directory covers all that is below it, so that watching `/` would cost too much. */
const watchAllAbove = process.platform === 'linux'

/** Follow a path, absolute and normalised, name by name. Never throws: what cannot be read is missing. */
export function locateRoot(path: string): RootPlace {
  const { root } = parse(path)
  const anchors: Anchor[] = []
  const pending = names(path.slice(root.length))
  let current = root
  let identity: Identity = { ino: 0, birth: 0 }
  let links = 0
  const missing = (at: string): RootPlace => ({ kind: 'missing', real: join(at, ...pending), anchors, ino: 0, birth: 0 })
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (name === '..') {
      current = dirname(current)
      continue
    }
    const next = join(current, name)
    const stats = statOf(next)
    if (watchAllAbove || pending.length === 0 || !stats?.isDirectory()) anchors.push({ directory: current, name })
    if (!stats) return missing(next)
    if (stats.isSymbolicLink()) {
      const target = readLink(next)
      if (target === undefined || ++links > maxLinks) return missing(next)
      const base = parse(target).root
      pending.unshift(...names(target.slice(base.length)))
      if (base !== '') current = base
    } else if (stats.isDirectory()) {
      current = next
      identity = identityOf(stats)
    } else if (pending.length > 0) {
      return missing(next)
    } else {
      return { kind: 'file', real: next, anchors, ino: 0, birth: 0 }
    }
  }
  return { kind: 'directory', real: current, anchors, ...identity }
}

/** Whether a root is still where it was, and still the same one. */
export const samePlace = (a: RootPlace, b: RootPlace): boolean =>
  a.kind === b.kind &&
  a.real === b.real &&
  sameIdentity(a, b) &&
  a.anchors.length === b.anchors.length &&
  a.anchors.every((anchor, i) => anchor.directory === b.anchors[i]?.directory && anchor.name === b.anchors[i]?.name)

export const sameIdentity = (a: Identity, b: Identity): boolean => a.ino === b.ino && a.birth === b.birth

export const identityOf = (stats: Stats): Identity => ({ ino: stats.ino, birth: stats.birthtimeMs })

/** What is at a path itself; undefined when nothing is, or it cannot be told. */
export function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

const names = (path: string): string[] => path.split(separator).filter((name) => name !== '' && name !== '.')
