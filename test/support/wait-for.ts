// Waiting for a condition instead of sleeping.

/** Ask again and again until the condition gives something else than false, null or undefined; a throw counts as not yet. */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: { what: string; timeoutMs?: number; everyMs?: number },
): Promise<Exclude<T, false | null | undefined>> {
  const until = Date.now() + (options.timeoutMs ?? 30_000)
  let last: unknown
  for (;;) {
    try {
      const value = await condition()
      if (value !== false && value !== null && value !== undefined) return value as Exclude<T, false | null | undefined>
      last = undefined
    } catch (thrown) {
      last = thrown
    }
    if (Date.now() > until) throw new Error(`waited in vain for ${options.what}`, { cause: last })
    await new Promise((resolve) => setTimeout(resolve, options.everyMs ?? 20))
  }
}
