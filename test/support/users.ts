// Users of the cluster with certificates of their own, signed by the cluster itself: to the API server they are as real as anybody.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { randomSuffix, testConnection } from './cluster.js'
import { waitFor } from './wait-for.js'

export interface TestUser {
  /** As the API server knows it. */
  readonly name: string
  /** A kubeconfig of that user. */
  readonly kubeconfig: string
  /** Deletes files. The certificate ends by itself: the cluster takes none back. */
  remove(): Promise<void>
}

interface SigningRequest {
  readonly status?: { readonly certificate?: string }
}

/**
 * A user without any rights.
 * @param namespace that the kubeconfig's context names; undefined = none
 */
export async function certificateUser(
  name: string,
  { groups = [], namespace }: { groups?: readonly string[]; namespace?: string } = {},
): Promise<TestUser> {
  const folder = await mkdtemp(join(tmpdir(), 'devloop-user-'))
  const key = join(folder, 'user.key')
  const request = join(folder, 'user.csr')
  const subject = [...groups.map((group) => `/O=${group}`), `/CN=${name}`].join('')
  await promisify(execFile)('openssl', [
    'req',
    '-new',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    key,
    '-out',
    request,
    '-subj',
    subject,
  ])
  const connection = await testConnection()
  const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
  const id = `devloop-test-${randomSuffix()}`
  try {
    const made = (await connection.request('POST', path, {
      body: {
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { name: id },
        spec: {
          request: (await readFile(request)).toString('base64'),
          signerName: 'kubernetes.io/kube-apiserver-client',
          usages: ['client auth'],
          expirationSeconds: 3600,
        },
      },
    })) as SigningRequest & object
    const condition = { type: 'Approved', status: 'True', reason: 'Test', message: 'by a test' }
    await connection.request('PUT', `${path}/${id}/approval`, { body: { ...made, status: { conditions: [condition] } } })
    const certificate = await waitFor(
      async () => ((await connection.request('GET', `${path}/${id}`)) as SigningRequest).status?.certificate,
      { what: `the certificate of ${name}`, timeoutMs: 60_000 },
    )
    await connection.request('DELETE', `${path}/${id}`)
    const file = join(folder, 'config')
    await writeFile(
      file,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': connection.context,
        contexts: [{ name: connection.context, context: { cluster: 'test', user: 'test', ...(namespace ? { namespace } : {}) } }],
        clusters: [
          { name: 'test', cluster: { server: connection.server, 'certificate-authority-data': authorityOf(connection) } },
        ],
        users: [
          {
            name: 'test',
            user: { 'client-certificate-data': certificate, 'client-key-data': (await readFile(key)).toString('base64') },
          },
        ],
      }),
      { mode: 0o600 },
    )
    return { name, kubeconfig: file, remove: () => rm(folder, { recursive: true, force: true }) }
  } finally {
    connection.close()
  }
}

const authorityOf = ({ config }: Awaited<ReturnType<typeof testConnection>>): string | undefined =>
  config.getCurrentCluster()?.caData
