// How images reach the nodes of local clusters. Commands of products that are not here are recorded by a program of that name on PATH.
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  chooseDelivery,
  clusterName,
  isOnNodes,
  loadImage,
  type NodeFacts,
} from '../../../../src/adapters/kube/image-delivery.js'

const engine = { name: 'laptop', system: 'Debian GNU/Linux 12' }
const node = (runtime: string, name = 'node', images: readonly string[] = []): NodeFacts => ({ name, runtime, images })
const containerd = [node('containerd://1.7.2')]

test.each([
  ['kind', 'kind-dev', ['kind', 'load', 'image-archive', '{archive}', '--name', 'dev']],
  ['kind', 'kind-kind', ['kind', 'load', 'image-archive', '{archive}', '--name', 'kind']],
  ['k3d', 'k3d-dev', ['k3d', 'image', 'import', '{archive}', '--cluster', 'dev']],
  ['minikube', 'minikube', ['minikube', 'image', 'load', '{archive}', '--profile', 'minikube']],
  ['microk8s', 'microk8s', ['microk8s', 'ctr', 'image', 'import', '{archive}']],
  ['rancher-desktop', 'rancher-desktop', ['nerdctl', '--namespace', 'k8s.io', 'load', '--input', '{archive}']],
])('%s (context %s) gets images by a command', (product, context, command) => {
  expect(chooseDelivery(product, context, engine, containerd)).toEqual({ kind: 'load', command })
})

test.each([
  ['docker-desktop', { name: 'docker-desktop', system: 'Docker Desktop' }, containerd],
  ['orbstack', { name: 'orbstack', system: 'OrbStack' }, [node('docker://27.0', 'orbstack')]],
  ['minikube', { name: 'minikube', system: 'Buildroot' }, [node('docker://27.0', 'minikube')]],
  ['colima', { name: 'colima', system: 'Ubuntu' }, [node('docker://27.0', 'colima')]],
  [undefined, { name: 'vm', system: 'Debian' }, [node('docker://27.0', 'vm')]],
])('%s on the engine that builds gets nothing: it has them', (product, own, nodes) => {
  expect(chooseDelivery(product, 'any', own, nodes)).toEqual({ kind: 'shared' })
})

test.each([
  ['docker-desktop', engine, [node('docker://27.0', 'docker-desktop')]],
  ['crc', engine, containerd],
  [undefined, engine, containerd],
  [undefined, engine, []],
  // two nodes are not one engine
  [undefined, { name: 'a', system: '' }, [node('docker://27', 'a'), node('docker://27', 'b')]],
])('%s with another engine needs a registry', (product, own, nodes) => {
  expect(chooseDelivery(product, 'any', own, nodes)).toBeUndefined()
})

test('a context whose name is no name of a cluster becomes no part of a command', () => {
  expect(chooseDelivery('colima', 'colima-$(reboot)', engine, containerd)).toBeUndefined()
  expect(chooseDelivery('kind', 'kind---config=x', engine, containerd)).toBeUndefined()
  expect(clusterName('colima', 'colima')).toBe('default')
  expect(clusterName('colima', 'colima-work')).toBe('work')
})

test('what nodes say that they have', () => {
  const nodes = [node('', 'a', ['docker.io/shop/api:1', 'x']), node('', 'b', ['docker.io/shop/api:1', 'docker.io/library/web:1'])]
  expect(isOnNodes('shop/api:1', nodes)).toBe(true)
  expect(isOnNodes('web:1', nodes)).toBe(false)
  expect(isOnNodes('shop/api:1', [])).toBe(false)
})

let folder: string
const path0 = process.env['PATH']
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'devloop-delivery-'))
  process.env['PATH'] = `${folder}:${path0}`
})
afterEach(async () => {
  process.env['PATH'] = path0
  await rm(folder, { recursive: true })
})

const program = async (name: string, script: string): Promise<void> => {
  await writeFile(path.join(folder, name), `#!/bin/sh\n${script}\n`)
  await chmod(path.join(folder, name), 0o755)
}
const builder = { save: (reference: string, file: string) => writeFile(file, `archive of ${reference}`) }
const load = (command: readonly string[], lines: string[] = [], signal = new AbortController().signal): Promise<unknown> =>
  loadImage(
    builder,
    'shop/api:1',
    command,
    { step: ({ name, state }) => void lines.push(`${state} ${name}`), log: (line) => void lines.push(line) },
    signal,
  ).catch((error: { info?: unknown; name: string }) => error.info ?? error.name)

test('the command gets the archive of the image, which is gone afterwards', async () => {
  await program('kind', `echo "$@" > ${folder}/arguments; cat "$3" > ${folder}/archive; echo loaded`)
  const lines: string[] = []
  await load(['kind', 'load', 'image-archive', '{archive}', '--name', 'dev'], lines)
  const [archive = ''] = /\/\S+\.tar/.exec(await readFile(path.join(folder, 'arguments'), 'utf8')) ?? []
  expect(await readFile(path.join(folder, 'arguments'), 'utf8')).toBe(`load image-archive ${archive} --name dev\n`)
  expect(await readFile(path.join(folder, 'archive'), 'utf8')).toBe('archive of shop/api:1')
  await expect(readFile(archive)).rejects.toThrow('ENOENT')
  expect(lines).toEqual([
    expect.stringMatching(/^running \[load\] shop\/api:1: kind load/) as string,
    'loaded',
    expect.stringMatching(/^done /) as string,
  ])
})

test('the archive reaches the standard input of colima', async () => {
  await program('colima', `echo "$@" > ${folder}/arguments; cat > ${folder}/archive`)
  const delivery = chooseDelivery('colima', 'colima-work', engine, containerd)
  expect(delivery?.kind).toBe('load')
  if (delivery?.kind === 'load') await load(delivery.command)
  expect(await readFile(path.join(folder, 'arguments'), 'utf8')).toContain('ssh --profile work -- sudo ctr')
  expect(await readFile(path.join(folder, 'archive'), 'utf8')).toBe('archive of shop/api:1')
})

test('a command that fails is told with what it said, one that is missing as that', async () => {
  await program('k3d', 'echo no such cluster >&2; exit 4')
  expect(await load(['k3d', 'image', 'import', '{archive}'])).toMatchObject({
    code: 'build/load',
    why: 'It ended with exit code 4.\nno such cluster',
  })
  expect(await load(['no-such-program', '{archive}'])).toMatchObject({
    code: 'build/load',
    why: 'no-such-program is not installed, or not in PATH.',
  })
})

test('a load that is called off ends its command', async () => {
  await program('minikube', 'exec sleep 600')
  const stop = new AbortController()
  const loading = load(['minikube', 'image', 'load', '{archive}'], [], stop.signal)
  stop.abort()
  expect(await loading).toBe('AbortError')
})
