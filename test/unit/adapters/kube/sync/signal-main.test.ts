import { spawn } from 'node:child_process'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createSignaller, sendCode } from '../../../../../src/adapters/kube/sync/signal-main.js'
import { reloadSignals } from '../../../../../src/model/plan.js'
import { shellsHere } from './shells.js'

const never = new AbortController().signal

/** A process that handles one signal, and prints it. */
async function handles(signal: string) {
  const code = `process.on('${signal}', () => console.log('got ${signal}')); setInterval(() => {}, 1000); console.log('up')`
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines = child.stdout.setEncoding('utf8')
  expect(String((await once(lines, 'data'))[0])).toBe('up\n')
  return { pid: child.pid ?? 0, next: async () => String((await once(lines, 'data'))[0]).trim() }
}

describe.each(shellsHere)('under $name', ({ argv: [program = '', ...args] }) => {
  const run = async (pid: number, code: string): Promise<string> =>
    (await promisify(execFile)(program, [...args, '-c', `M=${pid}\n${code}`])).stdout

  test.each(reloadSignals)('%s is sent to what handles it, and to nothing else', async (signal) => {
    const one = await handles(signal)
    const got = one.next()
    expect(await run(one.pid, sendCode(signal, true))).toBe(`${one.pid} node\nsent\n`)
    expect(await got).toBe(`got ${signal}`)
    // node itself handles some of the others
    const other = signal === 'SIGHUP' ? 'SIGUSR2' : 'SIGHUP'
    expect(await run(one.pid, sendCode(other, true))).toBe(`${one.pid} node\nnot taken\n`)
  })

  /** As the loop does it, where devloop's supervisor runs the process. */
  const signal = (pid: number) =>
    createSignaller(async (code) => {
      const output = await run(pid, `supervisor() { C=devloop:${pid}; }\n{ ${code}; } 2>&1\necho " $?"`)
      const [, said = '', status] = /^([^]*) (\d+)\n$/.exec(output) ?? []
      return { output: Buffer.from(said), status: Number(status) }
    }, 'web')('SIGHUP', never)

  test('what blocks a signal to wait for it gets it', async () => {
    const waiting = spawn('env', ['--block-signal=HUP', 'sleep', '100'], { stdio: 'ignore' })
    onTestFinished(() => void waiting.kill('SIGKILL'))
    await signal(waiting.pid ?? 0)
    expect(await readFile(`/proc/${waiting.pid}/status`, 'utf8')).toMatch(/^ShdPnd:\s+0*1$/m)
  })

  test('a shell that blocks signals only while it starts programs does not', async () => {
    const busy = spawn('sh', ['-c', 'while :; do /bin/true; done'], { stdio: 'ignore' })
    onTestFinished(() => void busy.kill('SIGKILL'))
    await expect(signal(busy.pid ?? 0)).rejects.toMatchObject({ code: 'signal/failed' })
    expect(busy.signalCode).toBe(null)
  })

  test('one that has ended is not waited for', async () => {
    const gone = spawn('true', { stdio: 'ignore' })
    await once(gone, 'exit')
    await expect(signal(gone.pid ?? 0)).rejects.toMatchObject({ message: expect.stringContaining('could not be sent') as string })
  })
})

const answers = (...said: readonly (readonly [string, number])[]) => {
  const left = [...said]
  return () => {
    const [output, status] = left.length > 1 ? (left.shift() ?? ['', 1]) : (said.at(-1) ?? ['', 1])
    return Promise.resolve({ output: Buffer.from(output), status })
  }
}

test('a process that does not handle it yet is given time; one that never does is named', async () => {
  await createSignaller(answers(['7 node\nnot taken\n', 0], ['7 node\nsent\n', 0]), 'web')('SIGHUP', never)
  await expect(createSignaller(answers(['7 npm run x\nnot taken\n', 0]), 'web')('SIGHUP', never)).rejects.toMatchObject({
    code: 'signal/failed',
    message: 'The main process of web does not take SIGHUP: it was not sent.',
    info: { why: 'Process 7 (npm run x) does not handle that signal, so it would do nothing or end the process.' },
  })
})

test('what the container says of a failure is the reason', async () => {
  const refused = createSignaller(answers(['7 node\nsh: kill: (7) - Operation not permitted\n', 1]), 'web')('SIGHUP', never)
  await expect(refused).rejects.toMatchObject({
    code: 'signal/failed',
    info: { why: 'sh: kill: (7) - Operation not permitted' },
  })
})
