// What developers and their tools do to a source tree, in an order that a seed decides.
import { execFile } from 'node:child_process'
import * as fs from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import type { Seeded } from './seeded.js'

export interface ChaosEdits {
  /** Do one thing. @returns what it was, in words */
  edit(): Promise<string>
  /** Commit everything and check out another branch. @returns the same */
  switchBranch(): Promise<string>
}

/** Few names, so that files, folders and links meet at the same paths. */
const names = [
  'a',
  'b',
  'c',
  'd',
  'd/a',
  'd/b',
  'd/e/f',
  'd/e/g/h',
  'g h/i',
  'g h/j',
  'it\'s "odd"',
  'ünïcödé/日本',
  '-k',
  'c/now/a/folder',
] as const
const modes = [0o644, 0o755, 0o600, 0o640] as const
const branches = ['main', 'other', 'third'] as const

/**
 * @param repository a folder; it becomes a git repository
 * @param roots folders in it. What is done to them is done in their folder `play`, so that they are never empty
 */
export async function chaosEdits(repository: string, roots: readonly [string, ...string[]], random: Seeded): Promise<ChaosEdits> {
  const run = promisify(execFile)
  const settings = ['user.name=t', 'user.email=t@t', 'commit.gpgsign=false', 'gc.auto=0'].flatMap((one) => ['-c', one])
  const git = (...args: string[]): Promise<unknown> => run('git', [...settings, ...args], { cwd: repository })
  await git('init', '-q', '-b', branches[0])
  await git('add', '.')
  await git('commit', '-q', '-m', 'begin')
  for (const branch of branches.slice(1)) await git('branch', branch)

  /** Remove what has the place of a file or of one of its folders, and make these. */
  const clear = (file: string): void => {
    const parts = dirname(file)
      .slice(repository.length + 1)
      .split('/')
    for (let count = 1; count <= parts.length; count++) {
      const folder = join(repository, ...parts.slice(0, count))
      if (kind(folder) !== 'folder') remove(folder)
    }
    remove(file)
    fs.mkdirSync(dirname(file), { recursive: true })
  }
  const write = (file: string, content: Buffer | string, mode = 0o644): void => {
    clear(file)
    fs.writeFileSync(file, content)
    fs.chmodSync(file, mode)
  }
  const move = (from: string, to: string): void => {
    if (kind(from) === undefined || meet(from, to)) return
    clear(to)
    // to make room for the one may have removed the other
    if (kind(from) !== undefined) fs.renameSync(from, to)
  }
  const onFile = (file: string, work: () => void): void => {
    if (kind(file) === 'file') work()
  }

  const edits: readonly (readonly [string, (on: Choice) => void | Promise<void>])[] = [
    ['write', ({ at, content }) => write(at, content)],
    ['write again', ({ at, content }) => write(at, content)],
    ['write with a mode', ({ at, content, mode }) => write(at, content, mode)],
    ['write 3 MB', ({ at, content }) => write(at, Buffer.alloc(3_000_000, Buffer.concat([content, Buffer.from('.')])))],
    ['write nothing', ({ at }) => write(at, '')],
    ['append', ({ at }) => onFile(at, () => fs.appendFileSync(at, 'more\n'))],
    [
      'write slowly',
      async ({ at, content }) => {
        write(at, content)
        for (let part = 0; part < 5; part++) {
          await new Promise((resolve) => setTimeout(resolve, 15))
          onFile(at, () => fs.appendFileSync(at, content))
        }
      },
    ],
    ['cut short', ({ at }) => onFile(at, () => fs.truncateSync(at, 1))],
    ['touch', ({ at }) => onFile(at, () => fs.utimesSync(at, new Date(), new Date()))],
    [
      'save as editors do',
      ({ at, content }) => {
        clear(at)
        fs.writeFileSync(`${at}.saving`, content)
        fs.renameSync(`${at}.saving`, at)
      },
    ],
    ['change the mode', ({ at, mode }) => onFile(at, () => fs.chmodSync(at, mode))],
    ['remove', ({ at }) => remove(at)],
    ['remove the folder of', ({ at }) => remove(dirname(at))],
    ['rename from', ({ at, other }) => move(other, at)],
    ['rename to', ({ at, other }) => move(at, other)],
    ['rename the folder of', ({ at, other }) => move(dirname(at), `${other} renamed`)],
    ['new folder', ({ at, content }) => write(join(at, 'new/er/file'), content)],
    ['empty folder', ({ at }) => (clear(at), fs.mkdirSync(at))],
    ['link', ({ at, other }) => (clear(at), fs.symlinkSync(relative(dirname(at), other) || '.', at))],
    [
      'write 150 files below',
      ({ at, content }) => {
        for (let n = 0; n < 150; n++) write(join(at, `${n % 7}/${n}`), `${n} ${content.toString('hex', 0, n)}`)
      },
    ],
    [
      'copy over',
      ({ at, other }) => {
        if (kind(other) !== 'file' || meet(at, other)) return
        const content = fs.readFileSync(other)
        write(at, content)
      },
    ],
  ]
  let branch = 0
  return {
    async edit() {
      // the same number of steps whatever is found there, so that a seed always means the same sequence
      const [what, work] = edits[random.below(edits.length)]!
      const [at, root] = [join(random.one(roots), 'play'), random.one(roots)]
      const [name, other] = [random.one(names), random.one(names)]
      const content = random.bytes(random.below(20) === 0 ? 200_000 : random.below(3_000))
      // links stay in their root
      const otherRoot = what === 'link' ? at : join(root, 'play')
      await work({
        at: join(repository, at, name),
        other: join(repository, otherRoot, other),
        content,
        mode: random.one(modes),
      })
      return `${what} ${at}/${name}${/^(rename|link|copy)/.test(what) ? ` (${otherRoot}/${other})` : ''}`
    },
    async switchBranch() {
      branch = (branch + 1 + random.below(branches.length - 1)) % branches.length
      await git('add', '-A')
      await git('commit', '-q', '--allow-empty', '-m', 'more')
      await git('checkout', '-q', branches[branch]!)
      return `check out ${branches[branch]}`
    },
  }
}

/** What an edit is done with. */
interface Choice {
  readonly at: string
  readonly other: string
  readonly content: Buffer
  readonly mode: number
}

function kind(path: string): 'file' | 'folder' | 'link' | undefined {
  try {
    const stat = fs.lstatSync(path)
    return stat.isSymbolicLink() ? 'link' : stat.isDirectory() ? 'folder' : 'file'
  } catch {
    return undefined
  }
}

function remove(path: string): void {
  if (kind(path) !== undefined) fs.rmSync(path, { recursive: true })
}

/** Whether one is the other, or in it. */
const meet = (one: string, other: string): boolean => `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`)
