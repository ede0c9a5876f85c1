// Ctrl-C and its likes, for the commands that go on until then.

/** Resolves at the first SIGINT or SIGTERM. A second one ends the process at once. */
export const interrupted = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    let asked = false
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (asked) process.exit(130)
        asked = true
        resolve(signal)
      })
    }
  })
