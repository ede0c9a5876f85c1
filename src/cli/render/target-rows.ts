// What live sync knows of the containers that it writes into: a line each, and one for many of a resource that are alike.
import stringWidth from 'string-width'
import type { ResourceView, TargetView } from '../../protocol/messages.js'
import { fit, pad } from './fit.js'
import { harmless } from '../../client/status/harmless.js'
import type { RowOptions } from './rows.js'
import { targetWords } from '../../client/status/resource-words.js'
import type { Toned } from '../../client/status/tone.js'
import { tonePaint } from './tone-style.js'
import { resourcesOf, type Views } from '../../client/status/views.js'

/** More of a resource that are alike are told as one. */
const most = 3

interface Row {
  readonly name: string
  readonly word: Toned
  readonly target: TargetView
}

/** None for resources that no files are synced into. No line is wider than `columns`. */
export function targetRows(views: Views, { style, columns }: Pick<RowOptions, 'style' | 'columns'>): string[] {
  const rows = resourcesOf(views).flatMap(rowsOf)
  const width = {
    name: Math.max(...rows.map(({ name }) => stringWidth(name)), 0),
    word: Math.max(...rows.map(({ word }) => word.text.length), 0),
  }
  return rows.map(({ name, word, target }) => {
    const parts = [
      pad(name, width.name),
      tonePaint(word.tone, style)(pad(word.text, width.word)),
      style.dim(harmless(target.transport ?? '')),
    ]
    return fit(`  ${parts.join('  ')}`, columns).trimEnd()
  })
}

function rowsOf({ name: resource, pods }: ResourceView): Row[] {
  const alike = new Map<string, Row[]>()
  for (const pod of pods) {
    for (const target of pod.targets) {
      const row = { name: `${pod.name}/${target.container}`, word: targetWords(target), target }
      const key = `${row.word.text} ${target.transport}`
      alike.set(key, [...(alike.get(key) ?? []), row])
    }
  }
  return [...alike.values()].flatMap((rows) => {
    const [first] = rows
    return rows.length <= most || !first ? rows : [{ ...first, name: `${resource}: ${rows.length} containers` }]
  })
}
