// After many restarts in place: the container is the same, one process of the app is alive, and nothing is left of the others.
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Note what is there before the restarts.
 * @param program file name of the app's program
 * @returns `check`, which says how it ended, and throws when it is not so; what just ended is given a moment to be reaped
 */
export function expectOneProcess({ session, cluster, program }) {
  const target = session.target()
  const restarts = () =>
    session.pods.get(target.pod)?.status.containerStatuses?.find((one) => one.name === target.container)?.restartCount
  const before = restarts()

  return async function check() {
    const end = performance.now() + 10_000
    for (;;) {
      if (before !== 0 || restarts() !== 0)
        throw new Error(
          `the restart count of ${target.pod} is ${restarts() ?? 'unknown'}, and was ${before} before: it must be 0`,
        )
      const processes = await cluster.processes(target)
      const alive = processes.filter((one) => one.state !== 'Z' && basename(one.program) === program)
      const zombies = processes.filter((one) => one.state === 'Z')
      if (alive.length === 1 && zombies.length === 0) return 'one process alive, no zombie, restart count 0'
      if (performance.now() > end)
        throw new Error(
          `${alive.length} processes of ${program} and ${zombies.length} zombies are in ${target.pod}: ${JSON.stringify(processes)}`,
        )
      await delay(200)
    }
  }
}
