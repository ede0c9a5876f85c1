// Random edits of a folder that know what they take away, the same program on this machine and in a container.

/** One edit, and what it replaced or removed. */
export interface Ledger {
  /** `PATH CONTENT` of what was written, in order; a link's content is `-> TARGET`. */
  readonly written: readonly string[]
  /** `PATH CONTENT` of what somebody took away on purpose. */
  readonly removed: readonly string[]
}

/**
 * Arguments: folder, trash (on the same file system, not synced), seed, number of edits, who, milliseconds between two edits at most. Prints the ledger as
 * JSON. Whatever an edit takes away is moved into the trash first and read there, so that nothing is missed that came meanwhile.
 */
export const randomEdits = `
const fs = require('fs')
const { join, dirname } = require('path')
const [root, trash, seed, count, who, pauseMs] = process.argv.slice(1)
let state = Number(seed)
const pick = (below) => {
  state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0
  return (state >>> 8) % below
}
const names = ['a', 'b', 'c', 'd', 'e/a', 'e/b', 'e/f/a', 'e/f/b', 'g h/i', 'g h/j', 'k', 'l/m/n', 'o', 'p', 'q', 'r']
const written = []
const removed = []
let made = 0
fs.mkdirSync(trash, { recursive: true })
const contentOf = (path) => {
  const stat = fs.lstatSync(path)
  return stat.isSymbolicLink() ? '-> ' + fs.readlinkSync(path) : fs.readFileSync(path, 'utf8').slice(0, 60)
}
const walk = (path, name, each) => {
  if (fs.lstatSync(path).isDirectory()) for (const one of fs.readdirSync(path)) walk(join(path, one), join(name, one), each)
  else if (!/(^|\\/)\\.devloop-/.test(name)) each(name, contentOf(path))
}
const take = (name) => {
  const to = join(trash, who + seed + '-' + made++)
  try {
    fs.renameSync(join(root, name), to)
  } catch (thrown) {
    if (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR') return undefined
    throw thrown
  }
  const found = []
  walk(to, name, (path, content) => found.push([path, content]))
  for (const [path, content] of found) removed.push(path + ' ' + content)
  return to
}
// puts something into its place; whatever is there, or in the way, is taken first, and again if it comes back
const put = (name, make) => {
  for (;;) {
    for (let folder = dirname(name); folder !== '.'; folder = dirname(folder)) {
      const stat = fs.lstatSync(join(root, folder), { throwIfNoEntry: false })
      if (stat && !stat.isDirectory()) take(folder)
    }
    take(name)
    try {
      fs.mkdirSync(dirname(join(root, name)), { recursive: true })
      make(join(root, name))
      return
    } catch (thrown) {
      if (!['EEXIST', 'ENOTDIR', 'ENOENT', 'EISDIR'].includes(thrown.code)) throw thrown
    }
  }
}
const fresh = () => who + ' ' + seed + ' ' + made++ + ' '
const write = (name, content) => {
  const beside = join(trash, who + seed + '+' + made++)
  fs.writeFileSync(beside, content)
  put(name, (path) => fs.linkSync(beside, path))
  fs.unlinkSync(beside)
  written.push(name + ' ' + content.slice(0, 60))
}
const any = () => names[pick(names.length)]
const edits = [
  () => write(any(), fresh()),
  () => write(any(), fresh()),
  () => write(any(), fresh() + 'x'.repeat(pick(5000))),
  () => write(any(), fresh() + 'y'.repeat(700000)),
  () => take(any()),
  () => take(['e', 'g h', 'e/f', 'l'][pick(4)]),
  () => {
    const target = fresh()
    const name = any()
    put(name, (path) => fs.symlinkSync(target, path))
    written.push(name + ' -> ' + target)
  },
  () => {
    // under another name
    const [from, to] = [any(), any()]
    const taken = take(from)
    if (taken === undefined || fs.lstatSync(taken).isDirectory()) return
    const content = contentOf(taken)
    put(to, (path) => (fs.lstatSync(taken).isSymbolicLink() ? fs.symlinkSync(fs.readlinkSync(taken), path) : fs.linkSync(taken, path)))
    written.push(to + ' ' + content)
  },
]
const next = (left) => {
  if (left === 0) {
    process.stdout.write(JSON.stringify({ written, removed }))
    return
  }
  edits[pick(edits.length)]()
  setTimeout(next, pick(Number(pauseMs)), left - 1)
}
next(Number(count))
`

/** Prints `PATH CONTENT` of everything in a folder, as the ledgers have it. */
export const listContents = `
const fs = require('fs')
const { join } = require('path')
const root = process.argv[1]
const found = []
const walk = (path, name) => {
  const stat = fs.lstatSync(path)
  if (stat.isDirectory()) for (const one of fs.readdirSync(path)) walk(join(path, one), join(name, one))
  else found.push(name + ' ' + (stat.isSymbolicLink() ? '-> ' + fs.readlinkSync(path) : fs.readFileSync(path, 'utf8').slice(0, 60)))
}
walk(root, '')
process.stdout.write(JSON.stringify(found.sort()))
`
