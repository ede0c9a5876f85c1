// Undoes what a run made, newest first: at its end, on a failure, and on Ctrl-C.

export function createCleanup(say) {
  const tasks = new Map()
  let next = 0
  let running

  const run = () =>
    (running ??= (async () => {
      for (const [id, { what, undo }] of [...tasks].reverse()) {
        tasks.delete(id)
        await Promise.race([
          Promise.resolve()
            .then(undo)
            .catch((error) => say(`could not undo ${what}: ${error.message}`)),
          new Promise((resolve) => setTimeout(resolve, 30_000).unref()),
        ])
      }
    })())

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (running) process.exit(130)
      say(`${signal}: cleaning up (again = leave at once)`)
      void run().finally(() => process.exit(130))
    })
  }

  return {
    /** @returns what undoes it now, and forgets it */
    add(what, undo) {
      const id = next++
      tasks.set(id, { what, undo })
      return async () => {
        if (tasks.delete(id)) await undo()
      }
    },
    run,
  }
}
