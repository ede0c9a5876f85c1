// Runs the built product as a user does: `devloop watch` as a process of its own, its state through the client library.
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

/**
 * @param home folder for the daemon's state, sockets and output: nothing is left where the user's own daemons keep theirs
 * @param dist folder of the built product
 */
export async function createLauncher({ home, dist, profile, cleanup }) {
  const { connectDevloop, findDaemon } = await import(pathToFileURL(join(dist, 'client.js')).href)
  const runtimeDir = join(home, 'run')
  const env = {
    ...process.env,
    XDG_RUNTIME_DIR: runtimeDir,
    XDG_STATE_HOME: join(home, 'state'),
    XDG_CACHE_HOME: join(home, 'cache'),
  }
  await mkdir(runtimeDir, { recursive: true, mode: 0o700 })
  let count = 0

  /** Start the daemon of a project. Returns at once; `ready` waits. */
  function start({ devloopfile, runtime = 'kubernetes', namespace, nodeArgs = [], extraEnv = {} }) {
    const log = join(home, `watch-${++count}.log`)
    const output = openSync(log, 'a')
    const args = [
      ...nodeArgs,
      ...(profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []),
      join(dist, 'cli.js'),
      'watch',
      '--file',
      devloopfile,
      ...(runtime === 'process' ? ['--runtime', 'process'] : ['--namespace', namespace]),
    ]
    const startedAt = performance.now()
    const child = spawn(process.execPath, args, { env: { ...env, ...extraEnv }, stdio: ['ignore', output, output], cwd: home })
    closeSync(output)
    const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
    const gone = ended.then((code) => {
      throw new Error(`devloop watch ended (${code}) before it was ready:\n${readFileSync(log, 'utf8').slice(-2_000)}`)
    })
    gone.catch(() => {})
    const clients = new Set()

    /** What the daemon says of how it is reached; undefined before it listens. */
    async function discovery() {
      const found = await findDaemon({ devloopfile, dirs: [join(runtimeDir, 'devloop')] })
      return found?.pid === child.pid ? found : undefined
    }

    /** Path of the daemon's socket; undefined before it listens. */
    const socket = async () => (await discovery())?.socket

    /** A client that is connected as soon as the daemon can be reached. */
    function connect(topics = ['state']) {
      const endpoint = async () => {
        const path = await socket()
        return path === undefined ? undefined : { socket: path }
      }
      const client = connectDevloop({ endpoint, name: 'bench', topics, backoff: { minMs: 5, maxMs: 10 } })
      clients.add(client)
      return { client, close: () => (clients.delete(client), client.close()) }
    }

    /** Resolves with the time at which a client saw every resource ready. */
    async function ready(client, timeoutMs = 120_000) {
      const wait = client.waitFor(
        (views) => {
          const session = views.get('session/session')
          return session?.ready && [...views.values()].some((view) => view.kind === 'resource') ? performance.now() : undefined
        },
        { timeoutMs },
      )
      try {
        return await Promise.race([wait, gone])
      } catch (error) {
        if (error.code !== 'timeout') throw error
        const views = [...client.views().values()].filter((view) => view.kind !== 'change')
        throw new Error(
          `not ready in ${timeoutMs / 1000} s: ${JSON.stringify(views, null, 1).slice(0, 4_000)}\n${readFileSync(log, 'utf8').slice(-2_000)}`,
          { cause: error },
        )
      }
    }

    const stop = cleanup.add(`devloop watch (${child.pid})`, async () => {
      for (const client of clients) client.close()
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGINT')
      await Promise.race([ended, delay(10_000, undefined, { ref: false })])
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
    })

    return {
      pid: child.pid,
      startedAt,
      log,
      env,
      discovery,
      socket,
      connect,
      ready,
      stop,
      ended,
      text: () => readFileSync(log, 'utf8'),
    }
  }

  return { start }
}

/**
 * Keeps each change's newest view, beyond the few that the daemon keeps.
 * `settled` resolves with the first change since a time (milliseconds since 1970) whose outcome is known.
 */
export function followChanges(client) {
  const changes = new Map()
  const take = (views) => {
    for (const view of views) if (view.kind === 'change') changes.set(view.name, view)
  }
  take(client.views().values())
  const end = client.onViews(({ upserts }) => take(upserts))
  return {
    changes,
    settled: (since, timeoutMs = 60_000) =>
      client.waitFor(() => [...changes.values()].find((change) => change.at >= since - 2 && change.outcome !== 'pending'), {
        timeoutMs,
      }),
    end,
  }
}

/** Stages of a change as milliseconds since the save (milliseconds since 1970), in the daemon's own words. */
export function stagesSince(change, saved) {
  const offset = change.at - saved
  return Object.fromEntries([['event', offset], ...change.stages.map(({ stage, ms }) => [stage, offset + ms])])
}
