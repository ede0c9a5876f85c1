// Ways to engines beside the usual socket: TLS and an ssh server in front of it, and Podman's socket.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { promisify } from 'node:util'
import { freePort } from './free-port.js'
import { waitFor } from './wait-for.js'

const run = promisify(execFile)

interface Running {
  stop(): Promise<void>
}

const start = (
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { child: ChildProcess; output(): string } => {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  return { child, output: () => output }
}

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  // not its pipes: what it started may hold them
  const closed = once(child, 'exit')
  child.kill('SIGTERM')
  const hard = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await closed
  clearTimeout(hard)
}

const listens = (at: { path: string } | { port: number }): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const socket = connect('port' in at ? { ...at, host: '127.0.0.1' } : at, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', reject)
  })

const upWithin = async (
  started: { child: ChildProcess; output(): string },
  at: { path: string } | { port: number },
  what: string,
): Promise<void> => {
  await waitFor(() => listens(at), { what, timeoutMs: 60_000, everyMs: 100 }).catch(async (thrown: unknown) => {
    await end(started.child)
    throw new Error(`${String(thrown)}\n${started.output()}`)
  })
}

/** The usual engine behind TCP with TLS, for clients with a certificate. */
export async function startTlsFront(tls: {
  readonly ca: string
  readonly cert: string
  readonly key: string
}): Promise<Running & { readonly port: number }> {
  const [ca, cert, key] = await Promise.all([readFile(tls.ca), readFile(tls.cert), readFile(tls.key)])
  const open = new Set<{ destroy(): void }>()
  const server = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (client) => {
    const engine = connect('/var/run/docker.sock')
    for (const one of [client, engine]) {
      open.add(one)
      one.on('error', () => undefined)
      one.on('close', () => {
        open.delete(one)
        client.destroy()
        engine.destroy()
      })
    }
    client.pipe(engine).pipe(client)
  })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const one of open) one.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Podman's Docker-compatible socket, with storage of its own. @param insecure hosts of registries without TLS */
export async function startPodman(insecure: readonly string[]): Promise<Running & { readonly socket: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'devloop-podman-'))
  const socket = join(folder, 'podman.sock')
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  // the usual one, crun, refuses machines with both versions of cgroups
  const runtime = existsSync('/usr/sbin/runc') ? 'runtime = "runc"\n' : ''
  const registries = insecure.map((location) => `[[registry]]\nlocation = "${location}"\ninsecure = true\n`).join('')
  const env = {
    CONTAINERS_CONF: await file('containers.conf', `[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n${runtime}`),
    CONTAINERS_STORAGE_CONF: await file(
      'storage.conf',
      `[storage]\ndriver = "vfs"\nrunroot = "${folder}/run"\ngraphroot = "${folder}/data"\n`,
    ),
    CONTAINERS_REGISTRIES_CONF: await file('registries.conf', `unqualified-search-registries = ["docker.io"]\n${registries}`),
  }
  const started = start('podman', ['system', 'service', '--time', '0', `unix://${socket}`], env)
  await upWithin(started, { path: socket }, 'Podman to listen')
  return {
    socket,
    async stop() {
      await end(started.child)
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** An ssh server on this machine that lets this user in by a key. */
export interface SshServer extends Running {
  readonly user: string
  readonly port: number
  /** To be put before PATH: holds an `ssh` that knows the key and the server. */
  readonly bin: string
  /** The same, with a key that the server does not know. */
  readonly strangerBin: string
}

export async function startSshd(): Promise<SshServer> {
  const folder = await mkdtemp(join(tmpdir(), 'devloop-sshd-'))
  const port = await freePort()
  const key = async (name: string): Promise<string> => {
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)])
    return join(folder, name)
  }
  const [host, user, stranger] = [await key('host'), await key('user'), await key('stranger')]
  await writeFile(join(folder, 'authorized_keys'), await readFile(`${user}.pub`))
  await writeFile(join(folder, 'known_hosts'), `[127.0.0.1]:${port} ${await readFile(`${host}.pub`, 'utf8')}`)
  await writeFile(
    join(folder, 'sshd_config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${host}`,
      `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
      `PidFile ${join(folder, 'sshd.pid')}`,
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      `SetEnv PATH=${process.env['PATH'] ?? ''}`,
    ].join('\n'),
  )
  const program = async (name: string, identity: string): Promise<string> => {
    const bin = join(folder, name)
    await mkdir(bin)
    const options = `-o IdentitiesOnly=yes -o IdentityFile=${identity} -o UserKnownHostsFile=${join(folder, 'known_hosts')} -F /dev/null`
    await writeFile(join(bin, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh ${options} "$@"\n`)
    await chmod(join(bin, 'ssh'), 0o755)
    return bin
  }
  // it separates its privileges there
  if (!existsSync('/run/sshd')) await mkdir('/run/sshd', { recursive: true })
  const started = start('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'sshd_config')])
  await upWithin(started, { port }, 'the ssh server to listen')
  return {
    user: userInfo().username,
    port,
    bin: await program('bin', user),
    strangerBin: await program('stranger-bin', stranger),
    async stop() {
      await end(started.child)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
