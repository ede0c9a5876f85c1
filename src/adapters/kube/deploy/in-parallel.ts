// A few at a time: enough to hide the way to the API server, not enough to be a burden.

const atOnce = 6

/**
 * Run `work` for every item, six at a time, and return the results in the items' order. All are tried, whatever fails;
 * then the error of the first item that failed is thrown.
 */
export async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: PromiseSettledResult<R>[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      const [result] = await Promise.allSettled([work(items[index] as T)])
      results[index] = result
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane))
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}
