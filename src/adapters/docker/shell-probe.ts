// Whether an image has a shell, found out without running it: by asking for /bin/sh of a container that is never started.
import type { Engine } from './engine.js'
import { EngineAnswerError } from './engine.js'

/** Label of the containers made here, so that one left behind by a killed process is found. */
const label = 'dev.devloop.probe'
const leftBehindSeconds = 60

/**
 * Whether /bin/sh is there and may be executed. Leaves no container behind, whatever happens.
 * @throws what Engine.json throws
 */
export async function hasShell(engine: Engine, imageId: string, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted()
  // not aborted half-way: without its id the container could not be removed
  let container: string | undefined
  try {
    const created = await engine.json<{ Id: string }>({
      method: 'POST',
      path: '/containers/create',
      body: { Image: imageId, Entrypoint: ['/bin/sh'], Cmd: [], NetworkDisabled: true, Labels: { [label]: 'shell' } },
    })
    container = created.Id
    return await isExecutable(engine, container, '/bin/sh', signal)
  } catch (error) {
    throw engine.refused(error, 'look into the image that it built')
  } finally {
    if (container) await removeContainer(engine, container)
  }
}

/** Remove containers that an earlier process was killed over. Failing to is no error. */
export async function sweepProbes(engine: Engine, signal: AbortSignal): Promise<void> {
  try {
    const found = await engine.json<{ Id: string; Created: number }[]>({
      method: 'GET',
      path: '/containers/json',
      query: { all: '1', filters: { label: [label], status: ['created'] } },
      signal,
    })
    const old = found.filter(({ Created }) => Created < Date.now() / 1000 - leftBehindSeconds)
    await Promise.all(old.map(({ Id }) => removeContainer(engine, Id)))
  } catch {
    // they cost little and are swept another time
  }
}

async function isExecutable(engine: Engine, container: string, path: string, signal: AbortSignal, hops = 0): Promise<boolean> {
  const stat = await statInContainer(engine, container, path, signal)
  if (!stat) return false
  // Podman names the file itself where there is no link
  if (stat.linkTarget && stat.linkTarget !== path)
    return hops < 8 && isExecutable(engine, container, stat.linkTarget, signal, hops + 1)
  // Go's file mode: no type bit means a regular file
  return stat.mode < 2 ** 26 && (stat.mode & 0o111) !== 0
}

/** What is at a path; links above it are followed, one at the path itself gives its resolved target. Undefined = nothing. */
async function statInContainer(
  engine: Engine,
  container: string,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly mode: number; readonly linkTarget: string } | undefined> {
  try {
    const answer = await engine.stream({ method: 'HEAD', path: `/containers/${container}/archive`, query: { path }, signal })
    answer.resume()
    const header = answer.headers['x-docker-container-path-stat']
    return JSON.parse(Buffer.from(String(header), 'base64').toString('utf8')) as { mode: number; linkTarget: string }
  } catch (error) {
    if (error instanceof EngineAnswerError && error.status === 404) return undefined
    throw error
  }
}

async function removeContainer(engine: Engine, id: string): Promise<void> {
  try {
    const answer = await engine.stream({ method: 'DELETE', path: `/containers/${id}`, query: { force: '1', v: '1' } })
    answer.resume()
  } catch {
    // the sweep of a later start takes it
  }
}
