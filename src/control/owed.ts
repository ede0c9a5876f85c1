// Steps that a container is owed because files they depend on were written into it. Kept in the journal of touched paths,
// so that a daemon that died between the write and the step makes up for it.
import type { StateFiles } from '../ports/state-files.js'

export interface Owed {
  /** Keys of run rules. */
  readonly runs: Set<string>
  restart: boolean
}

export const nothingOwed = (): Owed => ({ runs: new Set(), restart: false })

// a NUL cannot be in a path, so these entries are no paths
const owes = '\0owes '
const paid = '\0paid '

/** The paths of a journal, and the steps that were begun and not finished. */
export function readJournal(entries: ReadonlySet<string>): { paths: string[]; owed: Owed; last: number } {
  const paths: string[] = []
  const open = new Map<number, { runs: string[]; restart: boolean }>()
  let last = 0
  for (const entry of entries) {
    if (!entry.startsWith('\0')) {
      paths.push(entry)
      continue
    }
    const [, number, text] = /^\0(?:owes|paid) (\d+) ?(.*)$/s.exec(entry) ?? []
    if (number === undefined) continue
    last = Math.max(last, Number(number))
    if (entry.startsWith(owes)) open.set(Number(number), JSON.parse(text ?? '{}') as { runs: string[]; restart: boolean })
  }
  for (const entry of entries)
    if (entry.startsWith(paid))
      for (const number of open.keys()) if (number <= Number(entry.slice(paid.length))) open.delete(number)
  const owed = nothingOwed()
  for (const one of open.values()) {
    for (const key of one.runs) owed.runs.add(key)
    owed.restart ||= one.restart
  }
  return { paths, owed, last }
}

/** Note, before a write, its paths and what it will owe. */
export const noteOwed = (
  files: StateFiles,
  containerId: string,
  paths: readonly string[],
  owed: Owed,
  number: number,
): Promise<void> => {
  const entry =
    owed.runs.size > 0 || owed.restart
      ? [`${owes}${number} ${JSON.stringify({ runs: [...owed.runs], restart: owed.restart })}`]
      : []
  return files.touch(containerId, [...paths, ...entry])
}

/** Note that everything owed up to a number was done. */
export const notePaid = (files: StateFiles, containerId: string, number: number): Promise<void> =>
  files.touch(containerId, [`${paid}${number}`])
