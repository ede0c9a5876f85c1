// A build that is called off ends in the engine too: the process of its RUN step is gone.
import { randomInt } from 'node:crypto'
import { expect, test } from 'vitest'
import { base, buildPlace, isRunning } from '../support/docker-builds.js'
import { waitFor } from '../support/wait-for.js'

test.each([
  ['BuildKit', '1'],
  ['the classic builder', '0'],
])('a build by %s that is called off is gone from the engine within a second [tilt-20]', async (_, builder) => {
  const { build, engine } = await buildPlace()
  const seconds = String(randomInt(1e6, 1e7))
  const stop = new AbortController()
  const building = build(`FROM ${base}\nCOPY own.txt /\nRUN trap '' TERM; sleep ${seconds}; echo over\n`, {
    env: { DOCKER_BUILDKIT: builder },
    signal: stop.signal,
  })
  building.catch(() => undefined)
  await waitFor(() => isRunning('sleep', seconds), { what: 'the step to run', timeoutMs: 60_000 })
  const before = await containers()
  stop.abort()
  await expect(building).rejects.toMatchObject({ name: 'AbortError' })
  await waitFor(async () => !(await isRunning('sleep', seconds)), { what: 'the step to end', timeoutMs: 1_000, everyMs: 10 })
  await waitFor(async () => (await containers()).every((id) => !before.includes(id)), { what: 'the step container to go' })

  /** Containers that run this step; BuildKit's are not among the engine's own. */
  async function containers(): Promise<readonly string[]> {
    const all = await engine.json<{ Id: string; Command: string }[]>({
      method: 'GET',
      path: '/containers/json',
      query: { all: '1' },
    })
    return all.filter(({ Command }) => Command.includes(seconds)).map(({ Id }) => Id)
  }
})
