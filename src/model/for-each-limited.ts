// Many small asynchronous jobs, a few at a time.

/** Run `job` for every item, at most `limit` at once. The first failure, or an abort, starts no more and rejects when the running ones are done. */
export async function forEachLimited<T>(
  items: Iterable<T>,
  limit: number,
  job: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const iterator = items[Symbol.iterator]()
  let failed: { thrown: unknown } | undefined
  const work = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done && !failed; next = iterator.next()) {
      try {
        signal?.throwIfAborted()
        await job(next.value)
      } catch (thrown) {
        failed ??= { thrown }
      }
    }
  }
  await Promise.all(Array.from({ length: limit }, work))
  if (failed) throw failed.thrown
}
