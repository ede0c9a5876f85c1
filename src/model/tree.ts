// File trees as data: what a context holds, what an image holds, and how the two differ.

/** One entry of a tree or a target. Folders are not entries of their own. Modes are the permission bits (0o777). */
export type Entry =
  | {
      readonly kind: 'file'
      /** sha256, hex. */ readonly hash: string
      readonly mode: number
      /** Bytes. */ readonly size: number
    }
  | { readonly kind: 'link'; /** As readlink gives it. */ readonly target: string }

/** Paths relative to the context, with `/`, to what is there. */
export type Tree = ReadonlyMap<string, Entry>

/** What a path must be, or is, in a container: an entry, or nothing. */
export type Wanted = Entry | { readonly kind: 'absent' }

export const absent: Wanted = { kind: 'absent' }

/** Whether two entries have the same content, mode included. */
export function sameEntry(a: Wanted | undefined, b: Wanted | undefined): boolean {
  if (a === b) return true
  if (!a || !b || a.kind !== b.kind) return false
  if (a.kind === 'file') return a.hash === (b as typeof a).hash && a.mode === (b as typeof a).mode
  if (a.kind === 'link') return a.target === (b as typeof a).target
  return true
}

/** Whether two lists of entries, by path, say the same. Undefined = an entry that cannot be told. */
export function sameEntries(a: ReadonlyMap<string, Entry | undefined>, b: ReadonlyMap<string, Entry | undefined>): boolean {
  if (a.size !== b.size) return false
  for (const [path, entry] of b) if (!a.has(path) || !sameEntry(a.get(path), entry)) return false
  return true
}
