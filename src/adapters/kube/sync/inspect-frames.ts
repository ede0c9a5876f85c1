// Asking a container what it holds: the code of the question, and the reading of the answer.
import type { Wanted } from '../../../model/tree.js'
import type { Tool } from './loop-script.js'
import { quote } from './shell-quote.js'
import type { SyncPath } from './sync-paths.js'
import { foldersAbove, linksAbove } from './apply-steps.js'

/** Bounds of one question; the paths are arguments of one command. */
export const inspectBounds = { paths: 2000, bytes: 256 * 1024 } as const

export interface InspectQuestion {
  readonly code: string
  /** @param into where the answer goes; what cannot be known for sure is left out */
  read(output: Buffer, into: Map<string, Wanted>): void
}

/** Names that the tools print in another form, or over several lines. */
const confusing = (path: string): boolean => /[\\\p{Cc}]/u.test(path)

/** Ask for these paths; `tools` decides how. */
export function inspectQuestion(paths: readonly SyncPath[], tools: ReadonlySet<Tool>): InspectQuestion {
  const above = foldersAbove(paths)
  const hash = tools.has('sha256sum') ? 'sha256sum' : "''"
  const kind = tools.has('stat') && tools.has('readlink') ? 'stat' : 'ls'
  const plain = paths.filter((at) => !confusing(at.path))
  const odd = paths.filter((at) => confusing(at.path))
  const code = [
    ...(above.length > 0 ? [`{ no_links inspect ${above.map(quote).join(' ')} || :; }`] : []),
    ...(plain.length > 0 ? [`inspect ${hash} ${kind} ${plain.map((at) => quote(at.path)).join(' ')}`] : []),
    ...odd.map((at, index) => `inspect_one ${index} ${hash} ${kind} ${quote(at.path)}`),
  ].join(' && ')

  return {
    code,
    read(output, into) {
      const text = output.toString('utf8')
      const links = linksAbove('inspect', above, text)
      // links and odd names stand between marks, so that nothing in them is taken for a line of the lists
      const targets = new Map<string, string>()
      const facts = new Map<string, string>()
      // odd names and links stand between marks, so that nothing in them is taken for a line of the lists
      const withoutOdd = cutMarked(text, oddMark, (fact) => {
        const [, index, rest = ''] = /^(\d+) ([^]*)$/.exec(fact) ?? []
        const at = odd[Number(index)]
        if (at && rest.startsWith(linkMark)) targets.set(at.path, rest.slice(1, -1))
        else if (at) facts.set(at.path, rest)
      })
      const lists = cutMarked(withoutOdd, linkMark, (link) => {
        const [, index, target] = /^(\d+) ([^]*)\n$/.exec(link) ?? []
        const at = plain[Number(index)]
        if (at && target !== undefined) targets.set(at.path, target)
      })
      const known = readLists(lists, kind)
      for (const { path, above: folders } of paths) {
        if (folders.some((folder) => links.has(folder))) {
          into.set(path, { kind: 'absent' })
          continue
        }
        const fact = facts.get(path)
        const found = fact === undefined ? known.get(path) : readFact(fact, kind)
        const target = targets.get(path)
        if (target !== undefined) into.set(path, { kind: 'link', target: kind === 'stat' ? target : targetOf(target, path) })
        else if (found?.hash !== undefined && found.mode !== undefined && found.size !== undefined)
          into.set(path, { kind: 'file', hash: found.hash, mode: found.mode, size: found.size })
        else if (found === undefined) into.set(path, { kind: 'absent' })
      }
    },
  }
}

const linkMark = '\x1d'
const oddMark = '\x1c'

/** The text without what stands between two marks, which is given to `take`. */
function cutMarked(text: string, mark: string, take: (marked: string) => void): string {
  const parts = text.split(mark)
  return parts
    .filter((part, index) => {
      if (index % 2 === 1) take(part)
      return index % 2 === 0
    })
    .join('')
}

interface Found {
  hash?: string
  mode?: number
  size?: number
}

function readLists(text: string, kind: 'stat' | 'ls'): Map<string, Found> {
  const found = new Map<string, Found>()
  const of = (path: string): Found => {
    const known = found.get(path) ?? {}
    found.set(path, known)
    return known
  }
  for (const line of text.split('\n')) {
    const hashed = /^([0-9a-f]{64}) [ *](\/.*)$/.exec(line)
    if (hashed) {
      of(hashed[2] as string).hash = hashed[1] as string
      continue
    }
    const fact = kind === 'stat' ? /^([0-9a-f]+) (\d+) (\/.*)$/.exec(line) : lsLine.exec(line)
    if (fact) Object.assign(of(fact[3] as string), modeAndSize(fact, kind))
  }
  return found
}

const lsLine = /^(\S{10})\S?\s+\d+\s+\d+\s+\d+\s+(\d+)\s.*? (\/.*)$/

function readFact(text: string, kind: 'stat' | 'ls'): Found | undefined {
  const hash = /^([0-9a-f]{64}) [ *]-$/m.exec(text)?.[1]
  const fact = kind === 'stat' ? /^([0-9a-f]+) (\d+)$/m.exec(text) : /^(\S{10})\S?\s+\d+\s+\d+\s+\d+\s+(\d+)\s/m.exec(text)
  if (!fact) return undefined
  return { ...(hash === undefined ? {} : { hash }), ...modeAndSize(fact, kind) }
}

function modeAndSize(fact: RegExpExecArray, kind: 'stat' | 'ls'): { mode: number; size: number } {
  const [, mode = '', size = ''] = fact
  return { mode: kind === 'stat' ? Number.parseInt(mode, 16) & 0o777 : modeOfLetters(mode), size: Number(size) }
}

/** `-rwxr-xr-x` as bits; set-id and sticky letters count as the x that they stand on. */
function modeOfLetters(letters: string): number {
  let mode = 0
  for (const letter of letters.slice(1, 10)) mode = mode * 2 + (/[rwxst]/.test(letter) ? 1 : 0)
  return mode
}

/** The target in a line of `ls -ld`. */
const targetOf = (line: string, path: string): string => line.slice(line.indexOf(`${path} -> `) + path.length + 4)
