// A certificate authority for one test run, made with openssl.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Issued {
  /** Files, PEM. */
  readonly cert: string
  readonly key: string
}

export interface Authority {
  /** Holds everything that is issued. */
  readonly folder: string
  /** File, PEM. */
  readonly ca: string
  readonly caText: string
  /** A certificate for servers at these addresses (and localhost), or for a client. */
  issue(name: string, addresses?: readonly string[]): Promise<Issued>
  remove(): Promise<void>
}

export async function createAuthority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'devloop-ca-'))
  const file = (name: string): string => join(folder, name)
  const openssl = (...args: readonly string[]): Promise<unknown> => run('openssl', args, { cwd: folder })
  await openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    '/CN=devloop test CA',
  )
  return {
    folder,
    ca: file('ca.crt'),
    caText: await readFile(file('ca.crt'), 'utf8'),
    async issue(name, addresses = []) {
      const names = [
        'DNS:localhost',
        'IP:127.0.0.1',
        ...addresses.map((one) => (/^[\d.]+$/.test(one) ? `IP:${one}` : `DNS:${one}`)),
      ]
      await writeFile(file(`${name}.ext`), `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth,clientAuth\n`)
      await openssl(
        'req',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.csr`,
        '-subj',
        `/CN=${name}`,
      )
      await openssl(
        ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'],
        ...['-extfile', `${name}.ext`, '-out', `${name}.crt`],
      )
      return { cert: file(`${name}.crt`), key: file(`${name}.key`) }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
