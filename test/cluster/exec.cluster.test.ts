// `devloop exec`: commands in the right container, as if they ran here.
import { spawn } from 'node:child_process'
import { expect, onTestFinished, test } from 'vitest'
import { cli } from '../support/devloop.js'
import { loop, type Loop } from '../support/loop.js'
import { testRegistry } from '../support/cluster.js'
import { waitFor } from '../support/wait-for.js'
import { objects, sh, workload } from '../support/workloads.js'

interface Done {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command of this machine, with input. */
function begin(one: Loop, command: readonly string[], input?: string) {
  const [program = '', ...args] = command
  const child = spawn(program, args, { cwd: one.folder, env: { ...process.env, ...one.env } })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => undefined)
  if (input !== undefined) child.stdin.end(input)
  onTestFinished(() => void child.kill('SIGKILL'))
  const done = new Promise<Done>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
  return { child, done, output: () => stdout + stderr }
}
const exec = (one: Loop, args: readonly string[], input = ''): Promise<Done> =>
  begin(one, [process.execPath, cli, 'exec', ...args], input).done

test('runs commands with input, output and exit code in the right container, and opens a shell at a terminal', async () => {
  const idle = 'exec sleep 3600'
  const containers = [
    sh('main', idle, { env: [{ name: 'WHO', value: 'main' }] }),
    sh('other', idle, { env: [{ name: 'WHO', value: 'other' }] }),
  ]
  const one = await loop({ devloopfile: objects([workload('apps/v1', 'Deployment', 'two', { containers })]), files: {} })
  await one.begin()
  const pod = (await one.pods('it'))[0]?.name ?? ''

  expect(await exec(one, ['it', '--', 'sh', '-c', 'echo "$WHO $HOSTNAME"; echo bad >&2; exit 7'])).toEqual({
    code: 7,
    stdout: `main ${pod}\n`,
    stderr: 'bad\n',
  })
  expect(await exec(one, ['it', '-c', 'other', '--', 'sh', '-c', 'echo $WHO'])).toEqual({
    code: 0,
    stdout: 'other\n',
    stderr: '',
  })
  // input to its end, bytes as they are
  const much = 'x'.repeat(300_000)
  const count = 'let n = 0; process.stdin.on("data", (part) => (n += part.length)).on("end", () => console.log(n))'
  expect((await exec(one, ['it', '--', 'node', '-e', count], much)).stdout).toBe('300000\n')
  // a shell reads its commands from a pipe
  expect(await exec(one, ['it'], 'echo $((6 * 7)); exit 3')).toMatchObject({ code: 3, stdout: '42\n' })
  expect(await exec(one, ['it', '--', 'no-such-program'])).toMatchObject({ code: 127 })

  // a signal ends the command there, and its code comes back
  const script = 'trap "echo asked; exit 9" TERM; echo began; while :; do sleep 0.1; done'
  const waiting = begin(one, [process.execPath, cli, 'exec', 'it', '--', 'sh', '-c', script])
  await waitFor(() => waiting.output().includes('began'), { what: 'the command to run' })
  waiting.child.kill('SIGTERM')
  expect(await waiting.done).toMatchObject({ code: 9, stdout: 'began\nasked\n' })

  // a terminal of its own: the size is told, keys are read one by one, and this terminal is left as it was
  const line = `stty cols 97 rows 31; ${process.execPath} ${cli} exec it; echo "code $?"; stty -a | grep -o -- '-*icanon'`
  const terminal = begin(one, ['script', '-qec', line, '/dev/null'])
  await waitFor(() => /[#$] /.test(terminal.output()), { what: 'a prompt' })
  terminal.child.stdin.write(`node -p '[process.stdout.columns, process.stdout.rows, process.stdin.isTTY].join()'; exit 5\r`)
  const shown = (await terminal.done).stdout
  expect(shown).toMatch(/97,31,true/)
  expect(shown).toMatch(/code 5\r\nicanon/)

  expect(await exec(one, ['it', '-c', 'othr', '--', 'true'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Did you mean 'other'?") as string,
  })
  expect(await exec(one, ['nobody'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('request/unknown-resource') as string,
  })
})

test('in an image without a shell commands run all the same, and that there is none is said only to who wants one', async () => {
  const registry = await testRegistry()
  const one = await loop({
    devloopfile: ({ name, namespace }) => `
import { app, defineDevloop, image } from 'devloop'
const bare = image('${name}/bare', { context: 'bare' })
export default defineDevloop(() => ({
  name: '${name}', cluster: { contexts: ['*'], namespace: '${namespace}' }, resources: [app('bare', { image: bare })],
}))
`,
    files: {
      'bare/Dockerfile': `FROM ${registry}/testbed/busybox:1 AS tools\nFROM scratch\nCOPY --from=tools /bin/busybox /busybox\nCMD ["/busybox", "sleep", "3600"]\n`,
    },
  })
  await one.begin()
  expect(await exec(one, ['bare', '--', '/busybox', 'echo', 'a b'])).toEqual({ code: 0, stdout: 'a b\n', stderr: '' })
  expect(await exec(one, ['bare', '--', '/busybox', 'cat'], 'x'.repeat(100_000))).toEqual({
    code: 0,
    stdout: 'x'.repeat(100_000),
    stderr: '',
  })
  expect(await exec(one, ['bare', '--', '/busybox', 'ls', '/nowhere'])).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('/nowhere') as string,
  })
  const missing = await exec(one, ['bare', '--', '/none', 'x'])
  expect(missing).toMatchObject({ code: 127, stdout: '' })
  expect(missing.stderr).toMatch(/^devloop: There is no \/none in container bare of pod /)
  const shell = await exec(one, ['bare'], 'echo hi\n')
  expect(shell).toMatchObject({ code: 127, stdout: '' })
  expect(shell.stderr).toMatch(/^devloop: There is no shell \(\/bin\/sh\) in container bare of pod [^]*devloop exec bare -- /)
  // at a terminal, too, which is left as it was
  const line = `${process.execPath} ${cli} exec bare; echo "code $?"; stty -a | grep -o -- '-*icanon'; ${process.execPath} ${cli} exec bare -- /busybox tty`
  const shown = await begin(one, ['script', '-qec', line, '/dev/null']).done
  expect(shown.stdout).toMatch(/There is no shell[^]*code 127\r\nicanon\r\n\/dev\/pts\//)

  // nothing there passes a signal on, which is said
  const waiting = begin(one, [
    process.execPath,
    cli,
    'exec',
    'bare',
    '--',
    '/busybox',
    'sh',
    '-c',
    'echo began; /busybox sleep 600',
  ])
  await waitFor(() => waiting.output().includes('began'), { what: 'the command to run', timeoutMs: 30_000 })
  waiting.child.kill('SIGTERM')
  expect(await waiting.done).toEqual({
    code: 143,
    stdout: 'began\n',
    stderr: 'devloop: there is no shell that could pass SIGTERM on: the command may still run in the container\n',
  })
})
