// The lines in which two texts differ, with some around them, as diff -u shows them.
import { harmless } from '../../client/status/harmless.js'
import type { Style } from './style.js'

/** Lines of context around a change. */
const around = 3
/** Beyond so many pairs of lines to compare, the texts are told to differ as a whole: exactness is not worth the memory. */
const limit = 4_000_000

type Line = readonly [kind: ' ' | '-' | '+', text: string]

/** Hunks with their line numbers; '' = the same. */
export function unifiedDiff(before: string, after: string, style: Style): string {
  const lines = compare(split(before), split(after))
  const changed = lines.flatMap(([kind], index) => (kind === ' ' ? [] : index))
  let text = ''
  for (let at = 0; at < changed.length;) {
    const first = changed[at] as number
    let last = first
    while (at < changed.length && (changed[at] as number) - last <= 2 * around) last = changed[at++] as number
    text += hunk(lines, Math.max(0, first - around), Math.min(lines.length, last + around + 1), style)
  }
  return text
}

function hunk(lines: readonly Line[], from: number, to: number, style: Style): string {
  const count = (end: number, start: number, kind: '-' | '+'): number =>
    lines.slice(start, end).filter(([one]) => one === ' ' || one === kind).length
  const range = (kind: '-' | '+'): string => {
    const size = count(to, from, kind)
    return `${count(from, 0, kind) + (size > 0 ? 1 : 0)},${size}`
  }
  const colour = { ' ': (text: string) => text, '-': style.red, '+': style.green }
  const body = lines.slice(from, to).map(([kind, text]) => colour[kind](`${kind}${harmless(text)}`))
  return `${[style.cyan(`@@ -${range('-')} +${range('+')} @@`), ...body].join('\n')}\n`
}

const split = (text: string): readonly string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))

/** By the longest common subsequence of what is between the common beginning and end. */
function compare(old: readonly string[], now: readonly string[]): readonly Line[] {
  let start = 0
  while (start < old.length && start < now.length && old[start] === now[start]) start++
  let end = 0
  while (end < old.length - start && end < now.length - start && old[old.length - 1 - end] === now[now.length - 1 - end]) end++
  const same = (texts: readonly string[]): Line[] => texts.map((text) => [' ', text])
  const middle = between(old.slice(start, old.length - end), now.slice(start, now.length - end))
  return [...same(old.slice(0, start)), ...middle, ...same(old.slice(old.length - end))]
}

function between(old: readonly string[], now: readonly string[]): readonly Line[] {
  const removed: Line[] = old.map((text) => ['-', text])
  const added: Line[] = now.map((text) => ['+', text])
  if (old.length * now.length > limit || old.length === 0 || now.length === 0) return [...removed, ...added]
  const width = now.length + 1
  const longest = new Uint32Array((old.length + 1) * width)
  const at = (i: number, j: number): number => longest[i * width + j] as number
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      longest[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  const lines: Line[] = []
  let [i, j] = [0, 0]
  while (i < old.length && j < now.length) {
    if (old[i] === now[j]) {
      lines.push([' ', old[i++] as string])
      j++
    } else if (at(i + 1, j) >= at(i, j + 1)) lines.push(['-', old[i++] as string])
    else lines.push(['+', now[j++] as string])
  }
  return [...lines, ...removed.slice(i), ...added.slice(j)]
}
