// Glob patterns of the Devloopfile: one reading for all of them.
import picomatch from 'picomatch'

/** What is taken off a pattern before it is read: a leading `./` or `/`, a trailing `/`. `.` and `` mean everything. */
const normalise = (pattern: string): string =>
  pattern
    .replace(/^(?:\.?\/+)+/, '')
    .replace(/\/+$/, '')
    .replace(/^\.$/, '')

/**
 * Compile patterns to one test of a path (relative, with `/`). `*` and `?` stay within a name, `**` crosses folders, braces,
 * brackets and extended globs work, names that start with a dot are like others, and `!` has no meaning.
 * A pattern that matches a folder covers everything below it, as in a .dockerignore: `src` is `src/**`.
 * No patterns match nothing.
 */
export function compileGlobs(patterns: readonly string[]): (path: string) => boolean {
  const exact = new Set<string>()
  const globs: ((path: string) => boolean)[] = []
  for (const pattern of patterns.map(normalise)) {
    if (pattern === '') return () => true
    if (picomatch.scan(pattern).isGlob || pattern.includes('\\'))
      globs.push(picomatch(pattern, { dot: true, nonegate: true, flags: 's' }))
    else exact.add(pattern)
  }
  const matches = (path: string): boolean => exact.has(path) || globs.some((glob) => glob(path))
  return (path) => {
    for (let end = path.indexOf('/'); end > 0; end = path.indexOf('/', end + 1)) if (matches(path.slice(0, end))) return true
    return matches(path)
  }
}

/** The folder or file that everything a pattern can match lies in, or is: `src` for `src/**`, '' for `*.ts`. */
export function globBase(pattern: string): string {
  const normal = normalise(pattern)
  const parts = normal.split('/')
  const literal = parts.findIndex((part) => picomatch.scan(part).isGlob || part.includes('\\') || /[{}()[\]!*?]/.test(part))
  return literal < 0 ? normal : parts.slice(0, literal).join('/')
}
