// Steps that a container is owed because files they depend on were written into it. Kept in the journal of touched paths,
// so that a daemon that died between the write and the step makes up for it.
import type { ReloadSignal } from '../model/plan.js'
import type { StateFiles } from '../ports/state-files.js'

export interface Owed {
  /** Keys of `run` and `notify` rules. */
  readonly steps: Set<string>
  /** The process is to be replaced. */
  restart: boolean
  /** What it is to get, when it is not replaced. */
  readonly signals: Set<ReloadSignal>
}

/** The same, in the journal. */
interface OwedEntry {
  readonly steps: readonly string[]
  readonly restart: boolean
  readonly signals: readonly ReloadSignal[]
}

export const nothingOwed = (): Owed => ({ steps: new Set(), restart: false, signals: new Set() })

// a NUL cannot be in a path, so these entries are no paths
const owes = '\0owes '
const paid = '\0paid '

/** The paths of a journal, and the steps that were begun and not finished. */
export function readJournal(entries: ReadonlySet<string>): { paths: string[]; owed: Owed; last: number } {
  const paths: string[] = []
  const open = new Map<number, Partial<OwedEntry>>()
  let last = 0
  for (const entry of entries) {
    if (!entry.startsWith('\0')) {
      paths.push(entry)
      continue
    }
    const [, number, text] = /^\0(?:owes|paid) (\d+) ?(.*)$/s.exec(entry) ?? []
    if (number === undefined) continue
    last = Math.max(last, Number(number))
    if (entry.startsWith(owes)) open.set(Number(number), JSON.parse(text ?? '{}') as Partial<OwedEntry>)
  }
  for (const entry of entries)
    if (entry.startsWith(paid))
      for (const number of open.keys()) if (number <= Number(entry.slice(paid.length))) open.delete(number)
  const owed = nothingOwed()
  for (const { steps = [], restart = false, signals = [] } of open.values()) {
    for (const key of steps) owed.steps.add(key)
    for (const signal of signals) owed.signals.add(signal)
    owed.restart ||= restart
  }
  return { paths, owed, last }
}

/** Add what another owes. */
export function addOwed(owed: Owed, more: Owed): void {
  for (const key of more.steps) owed.steps.add(key)
  for (const signal of more.signals) owed.signals.add(signal)
  owed.restart ||= more.restart
}

export const isOwed = ({ steps, restart, signals }: Owed): boolean => steps.size > 0 || restart || signals.size > 0

/**
 * The journal of all that was written into the containers that had one place in a pod, one after the other: a volume keeps what an
 * earlier one was given. It holds paths only.
 */
export const placeJournal = ({ namespace, pod, container }: Place): string => `${namespace}/${pod}/${container}`

interface Place {
  readonly namespace: string
  readonly pod: string
  readonly container: string
}

/** Note, before a write, its paths and what it will owe. @param place see `placeJournal` */
export const noteOwed = async (
  files: StateFiles,
  containerId: string,
  place: string,
  paths: readonly string[],
  owed: Owed,
  number: number,
): Promise<void> => {
  const what: OwedEntry = { steps: [...owed.steps], restart: owed.restart, signals: [...owed.signals] }
  const entry = isOwed(owed) ? [`${owes}${number} ${JSON.stringify(what)}`] : []
  await files.touch(containerId, [...paths, ...entry])
  await files.touch(place, paths)
}

/** Note that everything owed up to a number was done; nothing later is owed. */
export const notePaid = (files: StateFiles, containerId: string, number: number): Promise<void> =>
  files.touch(containerId, [`${paid}${number}`])

/** After so many notes the journals of a container are written anew, without what was paid: it may live for months. */
const notesAtMost = 500

/**
 * Write the journals anew when they have grown.
 * @param number up to which everything owed was done; nothing later is owed
 * @param shortened the number at which this was last done; 0 = not known
 * @param place see `placeJournal`
 * @returns the number at which it was last done now
 */
export async function shortenJournals(
  files: StateFiles,
  containerId: string,
  place: string,
  number: number,
  shortened: number,
): Promise<number> {
  if (number - shortened < notesAtMost) return shortened
  const entries = (await files.touched(containerId)) ?? []
  await files.replaceTouched(containerId, [...[...entries].filter((entry) => !entry.startsWith('\0')), `${paid}${number}`])
  await files.replaceTouched(place, [...((await files.touched(place)) ?? [])])
  return number
}
