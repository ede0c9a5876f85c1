// Trying a link with what an image has: on this machine as if it were the container.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execFileSync } from 'node:child_process'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { reachByExec } from '../../../../src/adapters/kube/reach.js'
import type { OpenExec } from '../../../../src/adapters/kube/sync/exec-stream.js'
import { DevloopError } from '../../../../src/errors/devloop-error.js'
import { localExec } from './sync/local-exec.js'

const never = new AbortController().signal

const server = createServer()
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo
afterAll(() => void server.close())

const linkTo = (host: string, to = port) => ({ to: 'db', portName: 'main', host, port: to })

/** An image that has a shell, these programs of this machine, and scripts in the place of others. */
function image(programs: readonly string[], scripts: Readonly<Record<string, string>> = {}): OpenExec {
  const bin = mkdtempSync(path.join(tmpdir(), 'devloop-image-'))
  onTestFinished(() => rmSync(bin, { recursive: true, force: true }))
  for (const program of programs) {
    const [found = ''] = execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).split('\n')
    symlinkSync(found, path.join(bin, program))
  }
  for (const [name, script] of Object.entries(scripts))
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return localExec([], { PATH: bin })
}

/** A port that nobody listens on. */
async function closed(): Promise<number> {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port: its } = other.address() as AddressInfo
  await new Promise((resolve) => other.close(resolve))
  return its
}

test('bash', async () => {
  const exec = image(['bash'])
  expect(await reachByExec(exec, linkTo('127.0.0.1'), never)).toEqual({ state: 'ok' })
  expect(await reachByExec(exec, linkTo('127.0.0.1', await closed()), never)).toMatchObject({
    state: 'failed',
    step: 'tcp',
    why: expect.stringContaining('refused') as string,
  })
  expect(await reachByExec(exec, linkTo('nobody.invalid'), never)).toMatchObject({ state: 'failed', step: 'dns' })
})

test('nc, which says of a name what bash says; and an nc that knows no -z', async () => {
  expect(await reachByExec(image([], { nc: '[ "$1 $2 $3 $4" = "-z -w 5 db" ]' }), linkTo('db'), never)).toEqual({ state: 'ok' })
  expect(await reachByExec(image([], { nc: 'exit 1' }), linkTo('db', 5), never)).toEqual({
    state: 'failed',
    step: 'tcp',
    why: 'nothing accepts connections on port 5',
  })
  expect(await reachByExec(image([], { nc: 'echo "nc: bad address db" >&2; exit 1' }), linkTo('db'), never)).toMatchObject({
    step: 'dns',
  })
  const old = { nc: 'echo "nc: invalid option -- z" >&2; echo "Usage: nc [OPTIONS]" >&2; exit 1' }
  expect(await reachByExec(image(['bash'], old), linkTo('127.0.0.1'), never)).toEqual({ state: 'ok' })
  expect(await reachByExec(image([], old), linkTo('127.0.0.1'), never)).toMatchObject({ state: 'unknown' })
})

test('getent knows the name first', async () => {
  const exec = image(['bash'], { getent: '[ "$2" != gone ]' })
  expect(await reachByExec(exec, linkTo('127.0.0.1'), never)).toEqual({ state: 'ok' })
  expect(await reachByExec(exec, linkTo('gone'), never)).toEqual({
    state: 'failed',
    step: 'dns',
    why: 'getent finds no address of gone',
  })
})

test('what cannot be tried is unknown, with the reason', async () => {
  const why = async (exec: OpenExec): Promise<unknown> => await reachByExec(exec, linkTo('db'), never)
  expect(await why(image([]))).toEqual({
    state: 'unknown',
    why: 'the container has neither the agent nor nc or bash to try it with',
  })
  const refuse =
    (error: DevloopError): OpenExec =>
    () =>
      Promise.reject(error)
  expect(await why(refuse(new DevloopError('sync/no-shell', 'There is no shell.')))).toEqual({
    state: 'unknown',
    why: 'the container has neither the agent nor a shell to try it from',
  })
  expect(await why(refuse(new DevloopError('cluster/forbidden', 'No.', { why: 'may not exec' })))).toEqual({
    state: 'unknown',
    why: 'may not exec',
  })
  await expect(reachByExec(image(['bash']), linkTo('db'), AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' })
})
