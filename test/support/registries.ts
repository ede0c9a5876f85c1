// Real registries (Debian's docker-registry) with TLS and a login, trusted by the engine and, where it can be told, by the nodes.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import https from 'node:https'
import { networkInterfaces, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Authority, Issued } from './certificates.js'
import { freePort } from './free-port.js'
import type { TokenServer } from './token-server.js'
import { waitFor } from './wait-for.js'

/** The user of a registry with htpasswd. */
export const htpasswdUser = { name: 'dev', password: 'Wr1te&Read' }
const htpasswdLine = 'dev:$2y$05$sL3GM48XZ8q.qD2BOlt2eeBUqq5fbuOAeJFrDCYy3K6CkcUFmKbHi\n'

/** Addresses of this machine that the engine and the nodes reach, at least one. */
export function ownAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const found = all.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address)
  if (found.length === 0) throw new Error('this machine has no address but its loopback')
  return found
}

/**
 * Where the nodes' container runtime finds which registries it trusts (`HOST/hosts.toml`): DEVLOOP_TEST_CERTS_D, else the folder
 * certs.d beside the kubeconfig. Undefined = the nodes cannot be told.
 */
export function nodeCertificates(): string | undefined {
  const folder = process.env.DEVLOOP_TEST_CERTS_D ?? join(dirname(process.env.KUBECONFIG ?? ''), 'certs.d')
  return existsSync(folder) ? folder : undefined
}

export interface TestRegistry {
  readonly port: number
  /** `ADDRESS:PORT` for each address of this machine. */
  readonly names: readonly string[]
  /** The storage folder. */
  readonly storage: string
  /** Stop it; its address refuses connections then. */
  stop(): Promise<void>
  /** Stop it, and take back all trust. */
  remove(): Promise<void>
}

export interface RegistryWishes {
  readonly authority: Authority
  readonly certificate: Issued
  readonly auth: 'htpasswd' | TokenServer
  /** Size of a disk of its own, such as `3m`; needs root. Undefined = an ordinary folder. */
  readonly disk?: string
}

export async function startRegistry({ authority, certificate, auth, disk }: RegistryWishes): Promise<TestRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'devloop-registry-'))
  const storage = join(folder, 'data')
  await mkdir(storage)
  const port = await freePort()
  await writeFile(join(folder, 'htpasswd'), htpasswdLine)
  const login =
    auth === 'htpasswd'
      ? { htpasswd: { realm: 'test', path: join(folder, 'htpasswd') } }
      : { token: { realm: auth.realm, service: auth.service, issuer: auth.issuer, rootcertbundle: authority.ca } }
  await writeFile(
    join(folder, 'config.yml'),
    // JSON is YAML
    JSON.stringify({
      version: 0.1,
      log: { level: 'warn' },
      storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
      auth: login,
      http: { addr: `0.0.0.0:${port}`, tls: { certificate: certificate.cert, key: certificate.key } },
    }),
  )
  const serve = `exec docker-registry serve ${join(folder, 'config.yml')}`
  // a disk in a mount namespace of its own goes with the process
  const child = disk
    ? spawn('sh', ['-c', `exec unshare -m sh -c 'mount -t tmpfs -o size=${disk} none ${storage} && ${serve}'`], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    : spawn('sh', ['-c', serve], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const names = ownAddresses().map((address) => `${address}:${port}`)
  await waitFor(() => answers(`https://${names[0]}/v2/`, authority), { what: 'the registry to answer' }).catch(
    (thrown: unknown) => {
      child.kill('SIGKILL')
      throw new Error(`${String(thrown)}\n${output}`)
    },
  )
  const trusts: string[] = []
  for (const name of [...names, `localhost:${port}`]) {
    const engine = join('/etc/docker/certs.d', name)
    await mkdir(engine, { recursive: true })
    await writeFile(join(engine, 'ca.crt'), authority.caText)
    trusts.push(engine)
    const nodes = nodeCertificates()
    if (!nodes) continue
    const node = join(nodes, name)
    await mkdir(node, { recursive: true })
    await writeFile(join(node, 'ca.crt'), authority.caText)
    await writeFile(
      join(node, 'hosts.toml'),
      `server = "https://${name}"\n[host."https://${name}"]\n  capabilities = ["pull", "resolve"]\n  ca = "${join(node, 'ca.crt')}"\n`,
    )
    trusts.push(node)
  }
  const stop = (): Promise<void> => end(child)
  return {
    port,
    names,
    storage,
    stop,
    async remove() {
      await stop()
      for (const one of [...trusts, folder]) await rm(one, { recursive: true, force: true })
    },
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGTERM')
  const hard = setTimeout(() => child.kill('SIGKILL'), 3000)
  await closed
  clearTimeout(hard)
}

const answers = (url: string, authority: Authority): Promise<boolean> =>
  new Promise((resolve, reject) => {
    https
      .get(url, { ca: authority.caText }, (response) => {
        response.resume()
        resolve(response.statusCode === 401)
      })
      .on('error', reject)
  })
