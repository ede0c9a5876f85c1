import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { chooseContext } from '../../../../../src/adapters/kube/kubeconfig.js'
import {
  replaceToken,
  rereadUser,
  scopedKubeconfig,
  writeKubeconfig,
} from '../../../../../src/adapters/kube/scoped/kubeconfig-file.js'
import { facts } from './facts.js'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'devloop-scoped-'))
  file = join(folder, 'config')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const base = (server = 'https://prod:6443'): string =>
  JSON.stringify({
    'current-context': 'prod',
    contexts: [{ name: 'prod', context: { cluster: 'prod-cluster', user: 'admin', namespace: 'kube-system' } }],
    clusters: [{ name: 'prod-cluster', cluster: { server, 'certificate-authority-data': 'Q0E=', 'tls-server-name': 'kube' } }],
    users: [{ name: 'admin', user: { token: 'the-admin', 'client-key-data': 'c2VjcmV0' } }],
  })
const written = (token = 'first'): string => scopedKubeconfig(base(), { token, facts })

test('it holds the cluster, the namespace and the token, and nothing of whoever made it', async () => {
  await writeKubeconfig(file, written(), false)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const text = await readFile(file, 'utf8')
  expect(text).not.toMatch(/the-admin|c2VjcmV0|kube-system|"?admin"?:/)
  expect(parse(text)).toEqual({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'prod',
    contexts: [{ name: 'prod', context: { cluster: 'prod-cluster', namespace: 'shop-ann', user: 'devloop-shop-ann' } }],
    clusters: [
      {
        name: 'prod-cluster',
        cluster: { server: 'https://prod:6443', 'certificate-authority-data': 'Q0E=', 'tls-server-name': 'kube' },
      },
    ],
    users: [
      { name: 'devloop-shop-ann', user: { token: 'first', extensions: [{ name: 'devloop.dev/token', extension: facts }] } },
    ],
  })
  const chosen = chooseContext(undefined, { env: { KUBECONFIG: file }, home: folder, serviceAccount: folder })
  expect(chosen.scoped).toEqual({ file, name: 'devloop-shop-ann', token: 'first', facts })
  expect(chosen.namespace).toBe('shop-ann')
})

test('it replaces itself, an empty file and what is forced, and nothing else', async () => {
  await writeFile(file, '\n')
  await writeKubeconfig(file, written(), false)
  await writeKubeconfig(file, written('second'), false)
  expect(rereadUser({ file, name: 'devloop-shop-ann' })?.token).toBe('second')
  const others = {
    'a kubeconfig of one’s own': base(),
    'another cluster': scopedKubeconfig(base('https://other:6443'), { token: 'x', facts }),
    'another namespace': scopedKubeconfig(base(), { token: 'x', facts: { ...facts, namespace: 'shop-bob' } }),
    'no YAML at all': '{ [ not yaml',
    'no kubeconfig': 'just words',
  }
  for (const [name, text] of Object.entries(others)) {
    await writeFile(file, text)
    const code = await writeKubeconfig(file, written(), false).catch((thrown: unknown) => (thrown as { code: string }).code)
    expect([name, code]).toEqual([name, 'kubeconfig/exists'])
    expect(await readFile(file, 'utf8')).toBe(text)
  }
  await writeKubeconfig(file, written(), true)
  expect(await readFile(file, 'utf8')).toBe(written())
  await expect(writeKubeconfig(join(folder, 'no/where'), written(), false)).rejects.toMatchObject({
    code: 'kubeconfig/unwritable',
  })
})

test('a new token goes to its place, through a link; all else in the file stays as it is', async () => {
  const merged = `# my clusters\n${written()}preferences: {} # mine\n`.replace(
    'users:\n',
    'users:\n  - name: other\n    user:\n      token: of-another # keep\n',
  )
  await writeFile(file, merged)
  await chmod(file, 0o644)
  await symlink(file, join(folder, 'link'))
  const user = rereadUser({ file: join(folder, 'link'), name: 'devloop-shop-ann' })
  if (!user) throw new Error('not found')
  const later = { ...facts, issued: '2026-11-29T00:00:00.000Z', expires: '2026-12-06T00:00:00Z' }
  await replaceToken(user, { token: 'second', facts: later })
  const text = await readFile(file, 'utf8')
  expect(text.replaceAll('second', 'first').replaceAll(later.issued, facts.issued).replaceAll(later.expires, facts.expires)).toBe(
    merged,
  )
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(rereadUser(user)).toEqual({ ...user, token: 'second', facts: later })
  await writeFile(file, base())
  await expect(replaceToken(user, { token: 'third', facts: later })).rejects.toMatchObject({ code: 'kubeconfig/unwritable' })
  expect(await readFile(file, 'utf8')).toBe(base())
})
