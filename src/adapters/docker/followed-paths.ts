// Which files of a context the engine asks for: BuildKit names the paths that the Dockerfile copies.
import path from 'node:path'
import type { ContextEntry } from './context-files.js'

const patternLimit = 1000

/**
 * The entries at or below the named paths, with the folders above them. Names may hold the wildcards of Go's filepath.Match
 * (`*`, `?`, `[a-z]`) and may lead through symbolic links, which are then followed. No names = everything.
 */
export function selectFollowed(entries: readonly ContextEntry[], followed: readonly string[]): readonly ContextEntry[] {
  if (followed.length === 0) return entries
  const links = entries.filter(({ kind }) => kind === 'link')
  const patterns = new Map<string, readonly RegExp[]>()
  const pending = followed.map(clean)
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '') return entries
    if (patterns.has(name)) continue
    // links that point into themselves have no end
    if (patterns.size >= patternLimit) return entries
    const parts = name.split('/')
    const matchers = parts.map(toMatcher)
    patterns.set(name, matchers)
    for (const link of links) {
      const steps = link.path.split('/')
      if (steps.length > parts.length || !steps.every((step, at) => matchers[at]?.test(step))) continue
      const base = link.target.startsWith('/') ? '' : path.posix.dirname(link.path)
      pending.push(clean(path.posix.join(base, link.target, ...parts.slice(steps.length))))
    }
  }
  const all = [...patterns.values()]
  return entries.filter((entry) => {
    const steps = entry.path.split('/')
    return all.some((matchers) => {
      // a file must be at or below the pattern; a folder or link may also lead to it
      if (steps.length < matchers.length && entry.kind === 'file') return false
      return matchers.every((matcher, at) => at >= steps.length || matcher.test(steps[at] as string))
    })
  })
}

// as a path within the context: never above it
const clean = (name: string): string => path.posix.join('/', name).replace(/^\/+|\/+$/g, '')

function toMatcher(part: string): RegExp {
  let source = ''
  for (let at = 0; at < part.length; at++) {
    const character = part[at] as string
    const close = character === '[' ? part.indexOf(']', at + 2) : -1
    if (character === '*') source += '[^]*'
    else if (character === '?') source += '[^]'
    else if (character === '\\' && at + 1 < part.length) source += escapeRegExp(part[++at] as string)
    else if (close > 0) {
      source += part.slice(at, close + 1)
      at = close
    } else source += escapeRegExp(character)
  }
  try {
    return new RegExp(`^${source}$`, 'u')
  } catch {
    // no valid pattern: rather too much than too little
    return /^/
  }
}

const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
