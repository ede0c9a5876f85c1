// Finds errors with a place in what compilers and interpreters print. Pure: lines in, findings out; the paths are as they were printed,
// which may be those of a container.

export interface Place {
  readonly path: string
  /** Lines and columns count from 1. */
  readonly line: number
  readonly column?: number
}

export interface Finding {
  /** Where to look, the likeliest first: of a stack trace, the innermost frame first. The first that is a file of the project counts. */
  readonly places: readonly [Place, ...Place[]]
  readonly severity: 'error' | 'warning'
  readonly message: string
  /** Such as TS2322 or E0308. */
  readonly code?: string
}

/** At most so many are told of one output. */
const most = 100

/** A reader of one shape of output. Looks at the line at `index` (and those around), and tells what it found there. */
type Reader = (lines: readonly string[], index: number) => Finding | undefined

const place = (path: string, line: string, column?: string): Place => ({
  path: path.replace(/^file:\/\//, ''),
  line: Number(line),
  ...(column === undefined ? {} : { column: Number(column) }),
})

const severityOf = (word: string | undefined): Finding['severity'] => (/^warn/i.test(word ?? '') ? 'warning' : 'error')

/** `src/a.ts(3,7): error TS2322: text`, and pretty `src/a.ts:3:7 - error TS2322: text`. */
const typescript: Reader = (lines, index) => {
  const match = /^(\S.*?)(?:\((\d+),(\d+)\):|:(\d+):(\d+) -) (error|warning) (TS\d+): (.*)$/.exec(lines[index] ?? '')
  if (!match) return undefined
  const [, path = '', line1, column1, line2, column2, severity, code = '', message = ''] = match
  return { places: [place(path, line1 ?? line2 ?? '1', column1 ?? column2)], severity: severityOf(severity), message, code }
}

/** ESLint's `unix`: `/app/a.js:3:7: text [Error/no-undef]`. */
const eslintUnix: Reader = (lines, index) => {
  const match = /^(\S.*?):(\d+):(\d+): (.*) \[(Error|Warning)(?:\/([^\]]+))?\]$/.exec(lines[index] ?? '')
  if (!match) return undefined
  const [, path = '', line = '1', column, message = '', severity, code] = match
  return { places: [place(path, line, column)], severity: severityOf(severity), message, ...(code === undefined ? {} : { code }) }
}

/** ESLint's default: `  3:7  error  text  no-undef` below a line with the path. */
const eslintStylish: Reader = (lines, index) => {
  const match = /^\s+(\d+):(\d+)\s+(error|warning)\s+(.*?)(?:\s{2,}(\S+))?$/.exec(lines[index] ?? '')
  if (!match) return undefined
  const [, line = '1', column, severity, message = '', code] = match
  for (let above = index - 1; above >= 0; above--) {
    const text = lines[above] ?? ''
    if (/^\s+\d+:\d+\s/.test(text)) continue
    if (!/^\S*\/\S*\.\w+$/.test(text)) return undefined
    return {
      places: [place(text, line, column)],
      severity: severityOf(severity),
      message,
      ...(code === undefined ? {} : { code }),
    }
  }
  return undefined
}

/** gcc, clang, javac and whoever prints as they do: `a.c:3:7: error: text`, the column left out by some. */
const gnu: Reader = (lines, index) => {
  const match = /^(\S.*?):(\d+):(?:(\d+):)? (?:fatal )?(error|warning): (.*)$/i.exec(lines[index] ?? '')
  if (!match) return undefined
  const [, path = '', line = '1', column, severity, message = ''] = match
  return { places: [place(path, line, column)], severity: severityOf(severity), message }
}

/** Go's compiler and vet: `./main.go:3:7: text`. */
const go: Reader = (lines, index) => {
  const match = /^(?:vet: )?(\S+\.go):(\d+):(?:(\d+):)? (.+)$/.exec(lines[index] ?? '')
  if (!match) return undefined
  const [, path = '', line = '1', column, message = ''] = match
  return { places: [place(path, line, column)], severity: 'error', message }
}

/** rustc: `error[E0308]: text`, and a few lines below ` --> src/main.rs:3:7`. */
const rust: Reader = (lines, index) => {
  const match = /^(error|warning)(?:\[(\w+)\])?: (.+)$/.exec(lines[index] ?? '')
  const at = match && /^\s*--> (\S.*):(\d+):(\d+)$/.exec(lines[index + 1] ?? '')
  if (!match || !at) return undefined
  const [, severity, code, message = ''] = match
  return {
    places: [place(at[1] ?? '', at[2] ?? '1', at[3])],
    severity: severityOf(severity),
    message,
    ...(code === undefined ? {} : { code }),
  }
}

/** Maven: `[ERROR] /app/src/App.java:[3,7] text`. It tells each twice. */
const maven: Reader = (lines, index) => {
  const match = /^\[(ERROR|WARNING)\] (\/?\S.*?):\[(\d+),(\d+)\] (.+)$/.exec(lines[index] ?? '')
  if (!match) return undefined
  const [, severity, path = '', line = '1', column, message = ''] = match
  return { places: [place(path, line, column)], severity: severityOf(severity), message }
}

/** esbuild: `✘ [ERROR] text`, an empty line, and `    src/a.ts:3:7:`; its columns count from 0. */
const esbuild: Reader = (lines, index) => {
  const match = /^(?:✘|▲|X|!) \[(ERROR|WARNING)\] (.+)$/.exec(lines[index] ?? '')
  const at = match && /^\s+(\S.*?):(\d+):(\d+):$/.exec(lines[index + 2] ?? '')
  if (!match || !at) return undefined
  return {
    places: [place(at[1] ?? '', at[2] ?? '1', String(Number(at[3]) + 1))],
    severity: severityOf(match[1]),
    message: match[2] ?? '',
  }
}

/** Python: `Traceback ...` or a bare `  File "a.py", line 3`, frames below each other, the innermost last, then `ValueError: text`. */
const python: Reader = (lines, index) => {
  const frame = /^ {2}File "([^"]+)", line (\d+)/
  if (!frame.test(lines[index] ?? '')) return undefined
  // one traceback is found once, at its first frame
  for (let above = index - 1; above >= 0 && /^\s/.test(lines[above] ?? ''); above--)
    if (frame.test(lines[above] ?? '')) return undefined
  const frames: Place[] = []
  for (let at = index; at < lines.length; at++) {
    const line = lines[at] ?? ''
    const found = frame.exec(line)
    if (found) frames.unshift(place(found[1] ?? '', found[2] ?? '1'))
    else if (/^[A-Za-z_][\w.]*(?::|$)/.test(line)) {
      const [first, ...rest] = frames
      return first && { places: [first, ...rest], severity: 'error', message: line }
    } else if (line !== '' && !/^\s/.test(line)) return undefined
  }
  return undefined
}

/** Node: `TypeError: text` and its `    at f (file:///app/a.js:3:7)`; of an uncaught one, the line stands above with the code. */
const node: Reader = (lines, index) => {
  const message = /^(?:Uncaught )?((?:\w*Error|AssertionError \[\w+\]|Error \[\w+\])(?: \[\w+\])?: .+)$/.exec(
    lines[index] ?? '',
  )?.[1]
  if (message === undefined) return undefined
  const places: Place[] = []
  for (let at = index + 1; at < Math.min(lines.length, index + 60); at++) {
    const line = lines[at] ?? ''
    const found = /^\s+at (?:.*\()?(?:file:\/\/)?(\/[^()]+?):(\d+):(\d+)\)?$/.exec(line)
    if (found) places.push(place(found[1] ?? '', found[2] ?? '1', found[3]))
    else if (places.length > 0 && !/^\s+at /.test(line)) break
  }
  // a syntax error has no frame of its own
  for (let at = index - 1; at >= Math.max(0, index - 8); at--) {
    const found = /^(?:file:\/\/)?(\/\S.*?):(\d+)$/.exec(lines[at] ?? '')
    if (!found) continue
    const above = place(found[1] ?? '', found[2] ?? '1')
    if (!places.some((one) => one.path === above.path && one.line === above.line)) places.unshift(above)
    break
  }
  const [first, ...rest] = places
  return first && { places: [first, ...rest], severity: 'error', message }
}

// those that say most about a line come first
const readers: readonly Reader[] = [typescript, eslintUnix, maven, gnu, go, rust, esbuild, eslintStylish, python, node]

/** What went wrong where, in the order of the output, each once. The lines are without escape sequences. */
export function parseOutput(lines: readonly string[]): Finding[] {
  const found = new Map<string, Finding>()
  for (let index = 0; index < lines.length && found.size < most; index++) {
    for (const reader of readers) {
      const finding = reader(lines, index)
      if (!finding) continue
      const { path, line, column = 0 } = finding.places[0]
      const key = `${path}\n${line}\n${column}\n${finding.message}`
      if (!found.has(key)) found.set(key, finding)
      break
    }
  }
  return [...found.values()]
}
