// What a tool in the container says when it fails, as one error that names the path and the user.
import { DevloopError } from '../../../errors/devloop-error.js'
import type { ErrorCode } from '../../../errors/codes.js'
import { noToolHelp, permissionHelp, readOnlyHelp } from './dockerfile-help.js'
import { temporaryPrefix } from './loop-script.js'

const kinds: readonly (readonly [RegExp, ErrorCode, (path: string, user: string, where: string) => string])[] = [
  [
    /no space left|quota exceeded|ENOSPC|EDQUOT/i,
    'sync/disk-full',
    (path, user, where) => `There is no space left in ${where} to write ${path} (as user ${user}).`,
  ],
  [
    /read-only file system|EROFS/i,
    'sync/read-only',
    (path, user, where) => `${path} is on a read-only file system in ${where} (user ${user}).`,
  ],
  [
    /permission denied|operation not permitted|EACCES|EPERM/i,
    'sync/permission',
    (path, user, where) => `User ${user} may not write ${path} in ${where}.`,
  ],
  [
    /devloop: link out/,
    'sync/failed',
    (path, _user, where) => `${path} in ${where} was not written: a link leads out of the synced folder.`,
  ],
  [
    /devloop: root is a folder/,
    'sync/failed',
    (path, _user, where) => `${path} in ${where} is a folder, but a rule syncs a file to it.`,
  ],
  [
    /\b(?:mv|rm|mkdir|ln|head|chmod|rmdir|wc|cat): (?:command )?not found|applet not found/i,
    'sync/no-tool',
    (path, _user, where) => `${where} lacks a tool that writing ${path} needs.`,
  ],
]

const linkHelp = 'Remove the link in the container, or sync the folder that it leads to.'
const folderHelp = 'Name the file itself as the destination, with its folder.'

function helpFor(code: ErrorCode, line: string, root: string, user: string): string | undefined {
  if (line.includes('link out')) return linkHelp
  if (line.includes('root is a folder')) return folderHelp
  if (code === 'sync/permission') return permissionHelp(root, user)
  if (code === 'sync/read-only') return readOnlyHelp(root)
  const [, tool] = /\b(mv|rm|mkdir|ln|head|chmod|rmdir|wc|cat): /.exec(line) ?? []
  return code === 'sync/no-tool' && tool ? noToolHelp(tool) : undefined
}

export interface SyncFailure {
  /** All that was printed. */
  readonly output: string
  readonly status: number
  /** Paths that the frame was about. */
  readonly paths: readonly string[]
  /** What rules sync to. */
  readonly roots: readonly string[]
  /** Such as `1000 (node)`. */
  readonly user: string
  /** For messages, such as `container web of pod shop/web-1`. */
  readonly name: string
}

/** The error for a frame that failed. */
export function syncFailure({ output, status, paths, roots, user, name }: SyncFailure): DevloopError {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  for (const [pattern, code, message] of kinds) {
    const line = lines.find((one) => pattern.test(one))
    if (line === undefined) continue
    const path = pathIn(lines.slice(lines.indexOf(line)), paths)
    const root = longest(roots, (one) => path === one || path.startsWith(`${one.replace(/\/$/, '')}/`)) ?? folderOf(path)
    return new DevloopError(code, message(path, user, name), { why: why(lines), help: helpFor(code, line, root, user) })
  }
  return new DevloopError('sync/failed', `Writing ${pathIn(lines, paths)} in ${name} failed.`, {
    why: why(lines) || `The shell's status was ${status}.`,
  })
}

/** The path that the first telling line is about: itself, its temporary, or its folder. */
function pathIn(lines: readonly string[], paths: readonly string[]): string {
  for (const line of lines) {
    const file = longest(paths, (path) => line.includes(path.slice(1)) || line.includes(staged(path)))
    if (file !== undefined) return file
    const folder = longest(paths.map(folderOf), (path) => path.length > 1 && line.includes(path.slice(1)))
    if (folder !== undefined) return folder
  }
  const [first = ''] = paths
  return paths.length > 1 ? `${first} (or another of ${paths.length})` : first
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))
const staged = (path: string): string => `${folderOf(path).slice(1)}/${temporaryPrefix}`

function longest(paths: readonly string[], fits: (path: string) => boolean): string | undefined {
  let found: string | undefined
  for (const path of paths) if ((found === undefined || path.length > found.length) && fits(path)) found = path
  return found
}

const why = (lines: readonly string[]): string =>
  lines
    .slice(0, 5)
    .map((line) => line.replaceAll(new RegExp(`/${temporaryPrefix.replace('.', '\\.')}[0-9a-f]+-?`, 'g'), ''))
    .join('\n')
