// One daemon for each instance. The lock is a listening Unix socket, so the kernel takes it back when its holder
// dies, whatever way; nothing has to be cleaned by hand and no process id can be mistaken.
//
// Each candidate first shows its own claim (INSTANCE.RANDOM.lock) and then looks for others. Of two candidates the
// one that looks later sees the other's claim, so never do both win. A claim gets its name by renaming a socket that
// listens already: one that refuses connections is dead for good and may be removed by anybody.
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DevloopError } from '../errors/devloop-error.js'
import { maxSocketPath } from '../protocol/discovery.js'
import { probeSocket } from './probe-socket.js'
import { secureDir } from './secure-dir.js'

export interface InstanceLock {
  release(): Promise<void>
  /** The same for a process that is about to exit: takes its name away. */
  releaseAtExit(): void
}

/** How long to wait for a holder to say who it is. It says so at once unless it is stopped. */
const answerMs = 500

/**
 * Takes the lock of an instance, or throws daemon/running. Candidates that meet at the same moment step back and try
 * again after a random pause, so that one of them wins.
 */
export async function lockInstance(dir: string, instance: string): Promise<InstanceLock> {
  await secureDir(dir)
  for (let attempt = 0; ; attempt++) {
    const claim = await makeClaim(dir, instance)
    const others = await livingClaims(dir, instance, claim.file)
    if (others.length === 0) {
      claim.hold()
      return {
        release: () => claim.withdraw(),
        releaseAtExit: () => rmSync(join(dir, claim.file), { force: true }),
      }
    }
    await claim.withdraw()
    const holder = others.find((said) => !said.startsWith('claiming '))
    if (holder !== undefined || attempt >= 20) throw alreadyRunning(holder ?? others[0]!)
    await sleep(5 + Math.random() * 10 * 2 ** Math.min(attempt, 5))
  }
}

interface Claim {
  readonly file: string
  hold(): void
  withdraw(): Promise<void>
}

async function makeClaim(dir: string, instance: string): Promise<Claim> {
  const random = randomBytes(4).toString('hex')
  const hidden = join(dir, `.${random}.claim`)
  const file = `${instance}.${random}.lock`
  if (Buffer.byteLength(join(dir, file)) > maxSocketPath) {
    throw new DevloopError('daemon/start', `The path of the lock is too long: ${join(dir, file)}`, {
      help: 'Set XDG_RUNTIME_DIR to a folder with a shorter path.',
    })
  }
  let state = 'claiming'
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.end(`${state} ${process.pid}\n`)
  })
  await listening(server, hidden)
  await rename(hidden, join(dir, file))
  server.unref()
  return {
    file,
    hold: () => void (state = 'held'),
    async withdraw() {
      // First the name, then the socket: so a name that refuses is never one that is on its way.
      await rm(join(dir, file), { force: true })
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new DevloopError('daemon/start', `The lock ${path} cannot be made.`, { why: error.message, cause: error })),
    )
    server.listen({ path }, resolve)
  })
}

/** What the living claims of others say, such as `held 4711`. Dead ones are removed. */
async function livingClaims(dir: string, instance: string, own: string): Promise<string[]> {
  const claims = (await readdir(dir)).filter((file) => isClaimOf(file, instance) && file !== own)
  const living = await Promise.all(
    claims.map(async (file) => {
      const result = await probeSocket(join(dir, file), answerMs)
      if (result.state === 'dead') await rm(join(dir, file), { force: true })
      return result.state === 'alive' ? [result.said] : []
    }),
  )
  return living.flat()
}

const isClaimOf = (file: string, instance: string): boolean =>
  file.startsWith(`${instance}.`) && /^[0-9a-f]{8}\.lock$/.test(file.slice(instance.length + 1))

function alreadyRunning(said: string): DevloopError {
  const pid = /^\w+ (\d+)/.exec(said)?.[1]
  return new DevloopError('daemon/running', `devloop already runs for this project${pid ? ` (process ${pid})` : ''}.`)
}
