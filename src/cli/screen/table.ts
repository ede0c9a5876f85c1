// The resources as lines: grouped by label, what is broken first.
import { harmless } from '../../client/status/harmless.js'
import { resourceGroups } from '../../client/status/groups.js'
import { resourcesOf, type Views } from '../../client/status/views.js'
import { fit } from '../render/fit.js'
import { rowWriter, type RowOptions } from '../render/rows.js'

export interface TableOptions extends RowOptions {
  readonly rows: number
  readonly selected: string | undefined
}

/** At most `rows` lines, the selected one among them; what is hidden is counted. No line is wider than `columns`. */
export function resourceTable(views: Views, { style, columns, rows, now, selected }: TableOptions): string[] {
  const resources = resourcesOf(views)
  const write = rowWriter(resources, { style, columns: columns - 2, now, pods: true })
  const groups = resourceGroups(views)
  const named = groups.some(({ label }) => label !== undefined)
  const lines = groups.flatMap(({ label, resources: some }) => [
    ...(named ? [{ name: undefined, text: () => style.dim(`  ${label === undefined ? 'others' : harmless(label)}`) }] : []),
    ...some.map((one) => ({
      name: one.name,
      text: () => `${one.name === selected ? style.bold('›') : ' '} ${write(one)}`,
    })),
  ])
  const index = Math.max(
    0,
    lines.findIndex(({ name }) => name === selected),
  )
  if (lines.length <= rows) return lines.map(({ text }) => fit(text(), columns))
  if (rows <= 0) return []
  const start = Math.min(Math.max(0, index - Math.floor(rows / 2)), lines.length - rows)
  const end = start + rows
  const hidden = (part: readonly { name: string | undefined }[]): number => part.filter(({ name }) => name !== undefined).length
  const shown = lines.slice(start, end).map(({ text }) => text())
  // too few lines to spend any on what is not there
  if (rows >= 3) {
    if (start > 0) shown[0] = style.dim(`  ↑ ${hidden(lines.slice(0, start + 1))} more`)
    if (end < lines.length) shown[rows - 1] = style.dim(`  ↓ ${hidden(lines.slice(end - 1))} more; s finds by name`)
  }
  return shown.map((line) => fit(line, columns))
}

/** How many lines the whole table takes. */
export function tableHeight(views: Views): number {
  const groups = resourceGroups(views)
  const named = groups.some(({ label }) => label !== undefined)
  return resourcesOf(views).length + (named ? groups.length : 0)
}
