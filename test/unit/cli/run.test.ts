import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { exitCodes } from '../../../src/cli/exit.js'
import { run } from '../../../src/cli/run.js'

let out = ''
let err = ''

beforeEach(() => {
  out = ''
  err = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true))
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true))
})
afterEach(() => vi.restoreAllMocks())

describe('usage', () => {
  it.each([
    ['an unknown command, with what may be meant', ['stauts'], "error: unknown command 'stauts'\n(Did you mean status?)"],
    ['an unknown option, with what may be meant', ['status', '--jsn'], "error: unknown option '--jsn'\n(Did you mean --json?)"],
    ['an option without its value', ['watch', '--port'], "error: option '--port <port>' argument missing"],
    ['a port that is none', ['watch', '--port', '70000'], 'A port is a number from 0 to 65535.'],
    ['a runtime that is none', ['watch', '--runtime', 'docker'], 'Allowed choices are kubernetes, process.'],
    ['a state that is none', ['status', '--wait', 'done'], 'Allowed choices are ready, live.'],
    ['a time that is none', ['status', '--timeout', 'soon'], 'A time is a number with ms, s, m or h, such as 90s.'],
    ['a number of lines that is none', ['logs', '--tail', '-3'], 'It is a number of lines.'],
    ['an argument that is missing', ['trigger'], "error: missing required argument 'resource'"],
    ['an argument too many', ['why', 'a', 'b'], "error: too many arguments for 'why'. Expected 1 argument but got 2."],
  ])('%s', async (_, argv, message) => {
    expect(await run(argv)).toBe(exitCodes.usage)
    expect(err).toContain(message)
    expect(out).toBe('')
  })

  it('without a command shows the help, as an error', async () => {
    expect(await run([])).toBe(exitCodes.usage)
    expect(err).toContain('Usage: devloop [options] [command]')
  })
})

describe('help', () => {
  it('lists the commands in groups, and the exit codes', async () => {
    expect(await run(['--help'])).toBe(exitCodes.ok)
    expect(out).toContain('Usage: devloop [options] [command]\n\nSave a file, and the running pod has it.\n')
    expect(out).toMatch(/\nRun:\n {2}watch [^]*\nSee:\n {2}status [^]*\nProjects and machines:\n/)
    expect(out).toContain('0 ok, 1 failure, 2 usage, 70 defect of devloop, 130 interrupted')
    expect(out).not.toContain('\nCommands:')
  })

  it.each(['watch', 'status', 'logs', 'events', 'trigger', 'why', 'down', 'version'])('of %s', async (command) => {
    expect(await run([command, '--help'])).toBe(exitCodes.ok)
    expect(out).toContain(`Usage: devloop ${command}`)
    out = ''
    expect(await run(['help', command])).toBe(exitCodes.ok)
    expect(out).toContain(`Usage: devloop ${command}`)
    expect(err).toBe('')
  })
})

describe('version', () => {
  it.each([['version'], ['--version'], ['-V']])('%s', async (argument) => {
    expect(await run([argument])).toBe(exitCodes.ok)
    expect(out).toMatch(/^\d+\.\d+\.\d+\S*\n$/)
  })
})

describe('without a daemon', () => {
  it.each([
    ['status', ['status']],
    ['logs', ['logs']],
    ['events', ['events']],
    ['trigger', ['trigger', 'api']],
    ['why', ['why', 'a.js']],
  ])('%s says that there is none', async (_, argv) => {
    const file = new URL('run.test.ts', import.meta.url).pathname
    expect(await run([...argv, '--file', file])).toBe(exitCodes.failure)
    expect(err).toBe(`devloop: devloop does not run for ${file} [daemon/not-running]\n  Start it with \`devloop watch\`.\n`)
    expect(out).toBe('')
  })

  it.each(['watch', 'status', 'down'])('%s says so when there is no Devloopfile', async (command) => {
    expect(await run([command, '--file', '/nowhere/Devloopfile.ts'])).toBe(exitCodes.failure)
    expect(err).toContain('there is no file /nowhere/Devloopfile.ts [devloopfile/not-found]')
  })
})
