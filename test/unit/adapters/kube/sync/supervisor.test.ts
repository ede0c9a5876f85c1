import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { superviseCommand, supervisorScript } from '../../../../../src/adapters/kube/sync/supervisor.js'
import { builtAgent } from '../../../../support/agent.js'
import { waitFor } from '../../../../support/wait-for.js'
import { shellsHere } from './shells.js'

interface Supervised {
  readonly process: ChildProcess
  readonly lines: string[]
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** The process id of the command that runs now; undefined while there is none. */
  child(): number | undefined
}

const running: Supervised[] = []
afterEach(() => {
  for (const { process } of running.splice(0)) if (process.exitCode === null && process.signalCode === null) killGroup(process)
})

describe('superviseCommand', () => {
  it('wraps the command as a pod has it', () => {
    const { command } = superviseCommand(['node', 'server.js', '$(PORT)'])
    expect(command.slice(0, 2)).toEqual(['/bin/sh', '-c'])
    expect(command.slice(3)).toEqual(['devloop', 'node', 'server.js', '$(PORT)'])
  })

  it('has nothing in it that Kubernetes would replace', () => {
    expect(supervisorScript).not.toMatch(/\$[($]/)
  })
})

const { agent, missing } = builtAgent()
/** Everything that may be put before a container's command: what it does is the same. */
const supervisors = [
  ...shellsHere.map(({ name, argv }) => ({
    name: `the supervisor under ${name}`,
    before: [...argv, '-c', supervisorScript, 'devloop'],
  })),
  ...(missing ? [] : [{ name: 'the agent as supervisor', before: [agent.path, 'run', '--'] }]),
]

describe.each(supervisors)('$name', ({ before }) => {
  const start = (...command: string[]): Supervised => {
    const [program = '', ...args] = before
    const child = spawn(program, [...args, ...command], {
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines: string[] = []
    let rest = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n')
      rest = parts.pop() ?? ''
      lines.push(...parts)
    })
    const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
      child.on('exit', (code, signal) => resolve({ code, signal })),
    )
    const one: Supervised = { process: child, lines, ended, child: () => childOf(child.pid ?? 0) }
    running.push(one)
    return one
  }
  const lines = (one: Supervised, count: number): Promise<boolean> =>
    waitFor(() => one.lines.length >= count, { what: `${count} lines` })

  it.each([
    ['its exit code', ['sh', '-c', 'exit 7'], 7],
    ['success', ['true'], 0],
    ['128 + n for a signal', ['sh', '-c', 'kill -KILL $$'], 137],
    ['127 when there is no such command', ['/no/such/command'], 127],
  ] as const)('ends as the command ends: %s', async (_what, command, code) => {
    expect(await start(...command).ended).toEqual({ code, signal: null })
  })

  it('runs programs, not what its shell has built in', async () => {
    const one = start('test', 'a', '=', 'a')
    expect((await one.ended).code).toBe(0)
    expect((await start('restart').ended).code).toBe(127)
  })

  it('gives the command its arguments and its input', async () => {
    const one = start('sh', '-c', 'read line; printf "%s\\n" "$line" "$@"', 'sh', 'two words', "it's", '*', '')
    one.process.stdin?.end('from outside\n')
    await one.ended
    expect(one.lines).toEqual(['from outside', 'two words', "it's", '*', ''])
  })

  it.each(['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGINT', 'SIGQUIT'] as const)(
    'passes %s on to the command',
    async (signal) => {
      const name = signal.slice(3)
      // a program takes signals as Node does, which takes back that shells ignore some
      const one = start(
        process.execPath,
        '-e',
        `process.on('${signal}', () => { console.log('got ${name}'); process.exit(5) }); console.log('up'); setInterval(() => {}, 1000)`,
      )
      await lines(one, 1)
      one.process.kill(signal)
      expect(await one.ended).toEqual({ code: 5, signal: null })
      expect(one.lines).toEqual(['up', `got ${name}`])
    },
  )

  it.each(['SIGINT', 'SIGQUIT'] as const)('ends a command that knows nothing of %s', async (signal) => {
    const one = start('sh', '-c', 'echo up; exec sleep 1000')
    await lines(one, 1)
    one.process.kill(signal)
    const { code } = await one.ended
    expect(code).toBeGreaterThan(128)
  })

  it('starts the command again on SIGURG, as often as asked', async () => {
    const one = start('sh', '-c', 'echo $$; exec sleep 1000')
    for (let count = 1; count <= 5; count++) {
      await lines(one, count)
      // the child may speak before its parent has put on its name
      await waitFor(() => one.child() === Number(one.lines[count - 1]), { what: 'the name to tell the new child' })
      if (count < 5) one.process.kill('SIGURG')
    }
    expect(new Set(one.lines).size).toBe(5)
    one.process.kill('SIGTERM')
    expect(await one.ended).toEqual({ code: 143, signal: null })
  })

  it('ends the whole tree before it starts anew, also what outlives its parent', async () => {
    const one = start(
      'sh',
      '-c',
      `echo "up $$"; (trap '' HUP; trap 'sleep 0.2; echo "grandchild gone"; exit' TERM; echo "grandchild"; while :; do sleep 0.05; done) & wait`,
    )
    await lines(one, 2)
    one.process.kill('SIGURG')
    await lines(one, 5)
    expect(one.lines.map((line) => line.replace(/\d+/, 'N'))).toEqual([
      'up N',
      'grandchild',
      'grandchild gone',
      'up N',
      'grandchild',
    ])
  })

  it('kills on the second SIGURG what did not end on the first', async () => {
    const one = start('sh', '-c', `trap 'echo asked' TERM; echo up; while :; do sleep 0.05; done`)
    await lines(one, 1)
    one.process.kill('SIGURG')
    await lines(one, 2)
    expect(one.lines).toEqual(['up', 'asked'])
    one.process.kill('SIGURG')
    await lines(one, 3)
    expect(one.lines).toEqual(['up', 'asked', 'up'])
  })

  it('does not start again when it is told to stop meanwhile', async () => {
    const one = start('sh', '-c', `trap 'echo asked; sleep 0.3; exit 0' TERM; echo up; while :; do sleep 0.05; done`)
    await lines(one, 1)
    one.process.kill('SIGURG')
    await lines(one, 2)
    one.process.kill('SIGTERM')
    await one.ended
    expect(one.lines.filter((line) => line === 'up')).toHaveLength(1)
  })

  it('uses no processor time while it waits', async () => {
    const one = start('sh', '-c', 'echo up; exec sleep 1000')
    await lines(one, 1)
    await waitFor(() => one.child(), { what: 'the child' })
    // asleep in a system call, with nothing but the command below it
    await waitFor(() => stat(one.process.pid ?? 0)?.state === 'S', { what: 'the wrapper to sleep' })
    expect(childrenOf(one.process.pid ?? 0)).toEqual([one.child()])
  })
})

function childOf(pid: number): number | undefined {
  const found = /^devloop:(\d+)$/.exec(readFileSync(`/proc/${pid}/comm`, 'utf8').trim())
  return found ? Number(found[1]) : undefined
}

/** Whichever of its threads started them. */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  )
}

function stat(pid: number): { state: string } | undefined {
  const state = /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
  return state === undefined ? undefined : { state }
}

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-(child.pid ?? 0), 'SIGKILL')
  } catch {
    // it is gone
  }
}
