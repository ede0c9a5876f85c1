// .dockerignore by Docker's own rules, which are not git's: patterns are anchored at the context's root, the last match
// wins, and a path below a matched folder can be brought back by a later `!`.
import { DevloopError } from '../errors/devloop-error.js'

/** Whether a path (relative to the context, with `/`) is left out. For a folder, `true` means: with all that is below it. */
export type IgnoreTest = (path: string, isDirectory: boolean) => boolean

interface Pattern {
  /** Starts with `!`: brings paths back. */
  readonly exception: boolean
  readonly matches: (path: string) => boolean
  /** Whether it might match something below a folder. May say yes too often, never no wrongly. */
  readonly reachesBelow: (folder: string) => boolean
}

/** How many folders' results are kept; enough for a walk, which asks folder by folder. */
const rememberedFolders = 512

/**
 * The files that can hold the rules, in order of precedence: the first that exists is used, alone.
 * Dockerfile and .dockerignore follow the rules like any other path (so a `COPY .` does not bring what is ignored), but a
 * builder must be given the Dockerfile even when it is ignored.
 * @param dockerfile absolute path, undefined for an inline Dockerfile
 */
export const dockerignoreFiles = (context: string, dockerfile?: string): readonly string[] => [
  ...(dockerfile ? [`${dockerfile}.dockerignore`] : []),
  `${context}/.dockerignore`,
]

/**
 * Compile the text of a .dockerignore, to the rules of BuildKit.
 * @param file where the text comes from, for error messages
 * @throws DevloopError build/context on a pattern that Docker refuses
 */
export function compileDockerignore(text: string, file?: string): IgnoreTest {
  const patterns = parse(text, file)
  if (patterns.length === 0) return () => false
  const folders = new Map<string, Uint8Array>()

  /** Which patterns match a path or, as far as Docker remembers it, a folder above; the last element: whether it is left out. */
  const resultOf = (path: string): Uint8Array => {
    const slash = path.lastIndexOf('/')
    const above = slash < 0 ? undefined : folderResult(path.slice(0, slash))
    const result = new Uint8Array(patterns.length + 1)
    let ignored = false
    for (const [i, pattern] of patterns.entries()) {
      let match = above?.[i] === 1
      if (!match) {
        // a pattern that could change nothing is not tried, and so not remembered for what is below either, as in Docker
        if (pattern.exception !== ignored) continue
        match = pattern.matches(path)
      }
      if (!match) continue
      result[i] = 1
      ignored = !pattern.exception
    }
    if (ignored) result[patterns.length] = 1
    return result
  }

  const folderResult = (folder: string): Uint8Array => {
    let result = folders.get(folder)
    if (!result) {
      result = resultOf(folder)
      if (folders.size >= rememberedFolders) folders.clear()
      folders.set(folder, result)
    }
    return result
  }

  return (path, isDirectory) => {
    if (path === '' || path === '.') return false
    if (!isDirectory) return resultOf(path)[patterns.length] === 1
    const result = folderResult(path)
    return (
      result[patterns.length] === 1 &&
      !patterns.some((pattern, i) => pattern.exception && result[i] === 0 && pattern.reachesBelow(path))
    )
  }
}

function parse(text: string, file: string | undefined): Pattern[] {
  const patterns: Pattern[] = []
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (raw.startsWith('#')) continue
    let source = raw.trim()
    if (source === '') continue
    const exception = source.startsWith('!')
    if (exception) source = source.slice(1).trim()
    const fail = (why: string): DevloopError =>
      new DevloopError('build/context', `Line ${index + 1} of .dockerignore is not a valid pattern: ${raw.trim()}`, {
        why,
        where: file ? { file, line: index + 1 } : undefined,
        help: 'Correct the line; Docker refuses it too.',
      })
    source = source === '' ? '' : clean(source)
    if (exception && (source === '' || source === '/')) throw fail('nothing follows the exclamation mark')
    if (source.length > 1 && source.startsWith('/')) source = source.slice(1)
    patterns.push(compile(source, exception, fail))
  }
  return patterns
}

/** What Go's filepath.Clean makes of a pattern: no doubled or trailing slashes, no `.` and, where it can, no `..`. */
function clean(source: string): string {
  const rooted = source.startsWith('/')
  const kept: string[] = []
  for (const part of source.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') kept.push(part)
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop()
    else if (!rooted) kept.push('..')
  }
  return (rooted ? '/' : '') + kept.join('/') || '.'
}

/** The four kinds of match that Docker tells apart, because they do not all mean what the pattern's parts would. */
function compile(source: string, exception: boolean, fail: (why: string) => DevloopError): Pattern {
  const inner = source.startsWith('**') ? source.slice(2) : source
  if (!/[*?[\]\\]/.test(inner)) {
    if (inner === source)
      return { exception, matches: (path) => path === source, reachesBelow: (folder) => source.startsWith(`${folder}/`) }
    // a leading ** is any beginning, even in the middle of a name
    const bare = inner.startsWith('/') ? inner.slice(1) : undefined
    return { exception, matches: (path) => path.endsWith(inner) || path === bare, reachesBelow: () => true }
  }
  if (inner === source && source.endsWith('**') && !/[*?[\]\\]/.test(source.slice(0, -2))) {
    const prefix = source.slice(0, -2)
    return {
      exception,
      matches: (path) => path.startsWith(prefix),
      reachesBelow: (folder) => prefix.startsWith(`${folder}/`) || `${folder}/`.startsWith(prefix),
    }
  }
  const whole = new RegExp(`^${translate(source, fail)}$`, 'u')
  const parts = source.split('/')
  const open = parts.findIndex((part) => part.includes('**'))
  const segments = (open < 0 ? parts : parts.slice(0, open)).map((part) => segmentTest(part))
  return {
    exception,
    matches: (path) => whole.test(path),
    reachesBelow: (folder) => {
      const names = folder.split('/')
      if (open < 0 && segments.length <= names.length) return false
      return segments.every((test, i) => names[i] === undefined || test(names[i]))
    },
  }
}

function segmentTest(part: string): (name: string) => boolean {
  try {
    const regex = new RegExp(`^${translate(part, (why) => new DevloopError('build/context', why))}$`, 'u')
    return (name) => regex.test(name)
  } catch {
    return () => true
  }
}

const literal = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')

/** A pattern as the source of a regular expression. */
function translate(source: string, fail: (why: string) => DevloopError): string {
  const chars = Array.from(source)
  let out = ''
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i]!
    if (char === '*' && chars[i + 1] === '*') {
      i++
      if (chars[i + 1] === '/') i++
      // any number of folders; at the end, anything
      out += i + 1 >= chars.length ? '[^\\n]*' : '(?:[^\\n]*\\/)?'
    } else if (char === '*') out += '[^/]*'
    else if (char === '?') out += '[^/]'
    else if (char === '\\') {
      const next = chars[++i]
      if (next === undefined) throw fail('it ends in a backslash')
      out += literal(next)
    } else if (char === '[') {
      const end = classEnd(chars, i, fail)
      out += characterClass(chars.slice(i + 1, end), fail)
      i = end
    } else out += literal(char)
  }
  return out
}

/** Index of the bracket that closes the class opened at `start`. */
function classEnd(chars: readonly string[], start: number, fail: (why: string) => DevloopError): number {
  for (let i = start + 1; i < chars.length; i++) {
    if (chars[i] === '\\') i++
    else if (chars[i] === ']') return i
  }
  throw fail('a [ is never closed')
}

function characterClass(body: readonly string[], fail: (why: string) => DevloopError): string {
  const negated = body[0] === '^'
  const tokens: { char: string; dash: boolean }[] = []
  for (let i = negated ? 1 : 0; i < body.length; i++) {
    const escaped = body[i] === '\\'
    const char = escaped ? body[++i] : body[i]
    if (char === undefined) throw fail('a range in brackets is not complete')
    tokens.push({ char, dash: !escaped && char === '-' })
  }
  let out = ''
  for (let i = 0; i < tokens.length; i++) {
    const from = tokens[i]!
    if (from.dash) throw fail('a range in brackets has no beginning')
    if (!tokens[i + 1]?.dash) {
      out += inClass(from.char)
      continue
    }
    const to = tokens[i + 2]
    if (!to || to.dash) throw fail('a range in brackets has no end')
    if (from.char.codePointAt(0)! > to.char.codePointAt(0)!) throw fail('a range in brackets is the wrong way round')
    out += `${inClass(from.char)}-${inClass(to.char)}`
    i += 2
  }
  if (out === '') throw fail('brackets with nothing in them')
  return `[${negated ? '^' : ''}${out}]`
}

const inClass = (char: string): string => char.replace(/[\\\]^[-]/g, '\\$&')
