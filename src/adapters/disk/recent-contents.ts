// The bytes of small files that were just hashed, so that sending them need not read them again.

export interface RecentContents {
  /** Remember a copy. */
  keep(hash: string, bytes: Buffer): void
  get(hash: string): Buffer | undefined
}

/** Bytes that are held at most. */
const maxBytes = 8 * 1024 * 1024

/** Milliseconds after the last file until all are let go of: what is not sent by then is read again. */
const lifetimeMs = 2_000

/** Oldest first out. */
export function createRecentContents(): RecentContents {
  const contents = new Map<string, Buffer>()
  let size = 0
  let timer: NodeJS.Timeout | undefined

  return {
    keep(hash, bytes) {
      if (contents.has(hash)) return
      contents.set(hash, Buffer.from(bytes))
      size += bytes.length
      for (const [oldest, { length }] of contents) {
        if (size <= maxBytes) break
        contents.delete(oldest)
        size -= length
      }
      if (timer) timer.refresh()
      else {
        timer = setTimeout(() => {
          timer = undefined
          contents.clear()
          size = 0
        }, lifetimeMs)
        timer.unref()
      }
    },
    get: (hash) => contents.get(hash),
  }
}
