// Sync operations as steps of the shell loop.
import type { LoadedFile } from './load-files.js'
import { temporaryPrefix, type Tool } from './loop-script.js'
import { quote, quoteBytes } from './shell-quote.js'
import type { SyncPath } from './sync-paths.js'
import { tarEnd, tarFile } from './tar-entries.js'

/** Part of a frame. Steps whose code is short share one; a payload ends its frame. */
export interface Step {
  readonly code: Buffer
  readonly payload?: Buffer
  /** What the step leaves behind when it is cut. */
  readonly temporaries: readonly string[]
  /** What it is about, for errors. */
  readonly paths: readonly string[]
  /** Whether the step must be told of its own temporaries only, by `$@`. */
  readonly alone?: boolean
  /** The step to send instead after it failed with this output, having done nothing; undefined = it is a failure. */
  readonly narrowed?: (output: string) => Step | undefined
}

/** Most bytes of one line: the shell reads it with a system call for each byte, and a fork costs as much as some thousands. */
export const lineBytes = 4096
/** The same for a line with a single file, which costs but one fork more when its bytes follow the line. */
export const singleLineBytes = 1536
/** Bounds of a frame of many files. */
export const tarBounds = { files: 2000, bytes: 8 * 1024 * 1024 } as const

export interface StepContext {
  readonly session: string
  readonly tools: ReadonlySet<Tool>
}

const temporary = (folder: string, { session }: StepContext): string => `${folder}/${temporaryPrefix}${session}`

/** Sees to everything that leads to these paths. */
export function checks(paths: readonly SyncPath[]): string {
  const byRoot = new Map<string, Set<string>>()
  for (const { path, root, above } of paths) {
    const folders = byRoot.get(root) ?? new Set<string>()
    byRoot.set(root, folders)
    if (path !== root) for (const folder of [root, ...above]) folders.add(folder)
  }
  // what is in the place of a root that is a single file is left to `clear`
  return [...byRoot]
    .map(([root, folders]) => (folders.size === 0 ? `R=${quote(root)}` : `check ${[...folders].map(quote).join(' ')}`))
    .join(' && ')
}

const umaskOf = (mode: number): string => (0o666 & ~mode).toString(8).padStart(3, '0')
/** A mode that no umask gives a new file must be set. */
const chmodOf = (mode: number): string => ((mode & ~0o666) === 0 ? "''" : mode.toString(8).padStart(3, '0'))

/** A file in the code of the frame itself; undefined when that is longer than `limit` bytes. */
export function inlineStep(file: LoadedFile, limit: number, context: StepContext): Step | undefined {
  const { at, op, content } = file
  const words = Buffer.from(
    `${checks([at])} && put ${quote(at.folder)} ${quote(at.name)} ${umaskOf(op.mode)} ${chmodOf(op.mode)} `,
  )
  const bytes = quoteBytes(content, limit - words.length)
  return bytes && { code: Buffer.concat([words, bytes]), temporaries: temporaries(at, context), paths: [at.path] }
}

/** A file whose bytes follow the frame's line. */
export function payloadStep({ at, op, content }: LoadedFile, context: StepContext): Step {
  const code = `${checks([at])} && take ${quote(at.folder)} ${quote(at.name)} ${umaskOf(op.mode)} ${chmodOf(op.mode)} ${content.length}`
  return { code: Buffer.from(code), payload: content, temporaries: temporaries(at, context), paths: [at.path] }
}

export function linkStep(at: SyncPath, target: string, context: StepContext): Step {
  const code = `${checks([at])} && link ${quote(at.folder)} ${quote(at.name)} ${quote(target)}`
  return { code: Buffer.from(code), temporaries: temporaries(at, context), paths: [at.path] }
}

const temporaries = (at: SyncPath, context: StepContext): string[] => [
  temporary(at.folder, context),
  `${temporary(at.folder, context)}-`,
]

/** As many of the files as fit into `limit` bytes of code, each in the staging folder of its folder. None may be a root itself. */
export function stagedStep(
  files: readonly LoadedFile[],
  limit: number,
  context: StepContext,
): { readonly step: Step; readonly count: number } {
  const stages = new Set<string>()
  const writes: Buffer[] = []
  let left = limit
  let hidden = false
  let count = 0
  for (const { at, op, content } of files) {
    const stage = temporary(at.folder, context)
    const words = Buffer.from(` && write ${quote(`${stage}/${at.name}`)} ${umaskOf(op.mode)} ${chmodOf(op.mode)} `)
    const bytes = quoteBytes(content, left - words.length)
    if (!bytes) break
    stages.add(stage)
    hidden ||= at.name.startsWith('.')
    writes.push(words, bytes)
    left -= words.length + bytes.length
    count++
  }
  const done = files.slice(0, count).map((file) => file.at)
  const code = [Buffer.from(`${checks(done)} && mkdir -p "$@"`), ...writes, Buffer.from(` && settle ${hidden ? '1' : "''"} "$@"`)]
  return { step: { code: Buffer.concat(code), temporaries: [...stages], paths: done.map((at) => at.path), alone: true }, count }
}

/** Many files as one tar, each in the staging folder of its folder. None may be a root itself. */
export function tarStep(files: readonly LoadedFile[], context: StepContext): Step {
  const stages = new Set<string>()
  const parts: Buffer[] = []
  let size = 0
  let hidden = false
  for (const { at, op, content } of files) {
    const stage = temporary(at.folder, context)
    stages.add(stage)
    hidden ||= at.name.startsWith('.')
    for (const part of tarFile(`${stage}/${at.name}`.slice(1), op.mode & 0o777, content)) {
      parts.push(part)
      size += part.length
    }
  }
  const end = tarEnd(size)
  const code = `${checks(files.map((file) => file.at))} && unpack ${size + end.length} ${hidden ? '1' : "''"} "$@"`
  return {
    code: Buffer.from(code),
    payload: Buffer.concat([...parts, end]),
    temporaries: [...stages],
    paths: files.map((file) => file.at.path),
    alone: true,
  }
}

/** Removes files and links. */
export function deleteStep(paths: readonly SyncPath[]): Step {
  const words = paths.map((at) => quote(at.path)).join(' ')
  return { ...removal('delete', paths, `remove ${words}`), narrowed: (output) => narrow('delete', paths, output, deleteStep) }
}

/** Removes folders that are empty, the deepest first. */
export function rmdirStep(paths: readonly SyncPath[]): Step {
  const deepest = paths.map((at) => at.path).sort((a, b) => b.split('/').length - a.split('/').length)
  const code = deepest.length > 0 ? `{ rmdir ${deepest.map(quote).join(' ')} 2>/dev/null || :; }` : ':'
  return { ...removal('rmdir', paths, code), narrowed: (output) => narrow('rmdir', paths, output, rmdirStep) }
}

function removal(label: string, paths: readonly SyncPath[], code: string): Step {
  const above = foldersAbove(paths)
  const guard = above.length > 0 ? `no_links ${label} ${above.map(quote).join(' ')} && ` : ''
  return { code: Buffer.from(guard + code), temporaries: [], paths: paths.map((at) => at.path) }
}

export const foldersAbove = (paths: readonly SyncPath[]): string[] => [...new Set(paths.flatMap((at) => at.above))]

/** Which of `foldersAbove` are links, as `no_links LABEL` said. */
export function linksAbove(label: string, above: readonly string[], output: string): ReadonlySet<string> {
  const found = [...output.matchAll(/^devloop: link (\w+) (\d+)$/gm)].filter(([, said]) => said === label)
  return new Set(found.map(([, , number]) => above[Number(number)] ?? ''))
}

/**
 * What lies below a link is no path of the tree: there is nothing to remove there, and nothing is removed through the link. Links on
 * the way are rare, so the container is told together with the removal, which then does not happen, and is sent again without them.
 */
function narrow(
  label: string,
  paths: readonly SyncPath[],
  output: string,
  step: (paths: readonly SyncPath[]) => Step,
): Step | undefined {
  const links = linksAbove(label, foldersAbove(paths), output)
  return links.size > 0 ? step(paths.filter((at) => !at.above.some((folder) => links.has(folder)))) : undefined
}
