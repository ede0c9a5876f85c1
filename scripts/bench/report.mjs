// Rows of figures with their limits, as a table and as JSON.
import { summary } from './stats.mjs'

const round = (value) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value)
const rounded = (record) => Object.fromEntries(Object.entries(record).map(([key, value]) => [key, round(value)]))

/**
 * @param id such as `save`, or `save.floor` for what it is held against
 * @param limits at most so much, by figure: `{ median: 30, p99: 100 }`
 * @param stages medians of where the time goes, milliseconds from the start
 */
export function makeRow({ id, what, unit = 'ms', values, limits = {}, stages, note }) {
  const figures = summary(values)
  const missed = Object.entries(limits).flatMap(([figure, limit]) => {
    const value = figures[figure] ?? (figure === 'p99' ? figures.max : undefined)
    return value === undefined || value <= limit ? [] : [`${figure} ${round(value)} > ${limit}`]
  })
  return {
    id,
    what,
    unit,
    ...rounded(figures),
    values: values.map(round),
    limits,
    verdict: Object.keys(limits).length === 0 || figures.n === 0 ? 'none' : missed.length === 0 ? 'pass' : 'miss',
    ...(missed.length > 0 ? { missed } : {}),
    ...(stages ? { stages: rounded(stages) } : {}),
    ...(note ? { note } : {}),
  }
}

const show = (value) =>
  value === undefined ? '' : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
const limitText = (limits) =>
  Object.entries(limits)
    .map(([figure, limit]) => (figure === 'median' ? `≤ ${limit}` : `${figure} ≤ ${limit}`))
    .join(', ')

/** The rows as a Markdown table: to be read in a terminal as well as in docs/bench.md. */
export function table(rows) {
  const head = ['row', 'what', 'unit', 'n', 'median', 'p95', 'p99', 'max', 'limit', '']
  const right = [false, false, false, true, true, true, true, true, false, false]
  const lines = rows.map((row) => [
    row.id,
    row.what,
    row.unit,
    String(row.n),
    show(row.median),
    show(row.p95),
    show(row.p99),
    show(row.max),
    limitText(row.limits),
    row.verdict === 'none' ? '' : row.verdict,
  ])
  const widths = head.map((title, column) => Math.max(3, title.length, ...lines.map((line) => line[column].length)))
  const line = (cells) =>
    `| ${cells.map((cell, column) => (right[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => (right[column] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`
  const stages = rows.flatMap((row) =>
    row.stages
      ? [
          `- ${row.id}: ${Object.entries(row.stages)
            .map(([stage, ms]) => `${stage} ${show(ms)}`)
            .join(', ')}`,
        ]
      : [],
  )
  const notes = rows.flatMap((row) => (row.note ? [`- ${row.id}: ${row.note}`] : []))
  return [
    [line(head), rule, ...lines.map(line)],
    stages.length > 0
      ? ['', 'Where the time goes (medians, ms from the start of the save unless they are named otherwise):', '', ...stages]
      : [],
    notes.length > 0 ? ['', 'Notes:', '', ...notes] : [],
  ]
    .flat()
    .join('\n')
}
