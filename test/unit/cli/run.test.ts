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
    ['a state that is none', ['status', '--wait', 'done'], 'Allowed choices are ready.'],
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
  it('lists the commands and the exit codes', async () => {
    expect(await run(['--help'])).toBe(exitCodes.ok)
    expect(out).toMatchInlineSnapshot(`
      "Usage: devloop [options] [command]

      Save a file, and the running pod has it.

      Options:
        -V, --version                           print the version of devloop
        -h, --help                              display help for command

      Commands:
        watch [options] [resource...]           Run the daemon: build, deploy, and bring each save into the running pods.
        ci [options] [resource...]              Run the plan once: exit 0 when all is built, deployed and ready and all Jobs have succeeded.
        status [options] [resource...]          Show the state of all resources, or of some.
        logs [options] [resource...]            Print the output of resources.
        exec [options] <resource> [command...]  Open a shell where a resource runs, or run a command there.
        events [options]                        Print every change of the state, one JSON object a line, until interrupted.
        trigger [options] [resource...]         Build and deploy resources again, or run locals again; with manual trigger, do what their pending changes need.
        enable [options] [resource...]          Bring disabled resources back, with what they need, and start those with \`auto: false\`.
        disable [options] [resource...]         Take resources out of the cluster, or end their processes, until they are enabled or devloop starts again.
        args [options] [args...]                Show what the Devloopfile gets as \`args\`, and which way resources are made; with --, --local or --remote, change it and load the Devloopfile again.
        why [options] <path>                    Tell which rule takes a file, for each image; or what a resource is doing, why it waits, and where its links lead.
        verify [options] [resource]             Tell whether the running containers hold what was saved, path by path.
        render [options] [resource...]          Print the objects that would be applied, as YAML, and the images of the newest builds in them.
        eject [options] [resource...]           Write the objects of apps as files of your own, for the pipeline that deploys them.
        diff [options] [resource...]            Show what a deploy would change in the cluster, by dry runs of the cluster.
        down [options] [resource...]            Delete what was deployed, and end the daemon if it runs.
        doctor [options] [args...]              Tell what is missing on this machine and in the cluster, and what to do about it.
        provision [options]                     For administrators: give a developer a namespace of their own, or a place in a tenant.
        prune [options]                         Remove images, build cache and records that devloop made and nothing needs any more.
        init [options] [folder]                 Find out what a source tree holds, and write the Dockerfiles and the Devloopfile that it lacks.
        version                                 Print the version of devloop.
        help [command]                          print what there is to know about a command

      Start with \`devloop init && devloop watch\` in the folder of a project; see docs/devloopfile.md.
      Exit codes: 0 ok, 1 failure, 2 usage, 70 defect of devloop, 130 interrupted.
      "
    `)
  })

  it.each(['watch', 'status', 'logs', 'events', 'trigger', 'why', 'down', 'version'])('of %s', async (command) => {
    expect(await run([command, '--help'])).toBe(exitCodes.ok)
    expect(out).toContain(`Usage: devloop ${command}`)
    out = ''
    expect(await run(['help', command])).toBe(exitCodes.ok)
    expect(out).toContain(`Usage: devloop ${command}`)
    expect(err).toBe('')
  })

  it('of watch', async () => {
    await run(['watch', '--help'])
    expect(out).toMatchInlineSnapshot(`
      "Usage: devloop watch [options] [resource...] [-- args...]

      Run the daemon: build, deploy, and bring each save into the running pods.

      Arguments:
        resource             only these, by name or \`label:NAME\`, with what they need;
                             all others are disabled

      Options:
        --file <path>        the Devloopfile; default: Devloopfile.ts in this folder
                             or the nearest above
        --context <name>     kubeconfig context to use instead of the current one
        --namespace <name>   namespace to use instead of the Devloopfile's
        --local <names>      make these resources from source, where the Devloopfile
                             has both (\`either\`); with commas
        --remote <names>     make these resources as they are released, where the
                             Devloopfile has both (\`either\`); with commas
        --runtime <runtime>  where apps run (choices: "kubernetes", "process",
                             default: "kubernetes")
        --port <port>        TCP port on 127.0.0.1 for status; 0 = any that is free
                             (default: 0)
        -l, --label <label>  all resources with this label (as \`label:<label>\`); may
                             be given again
        -h, --help           display help for command

      What stands after -- is given to the Devloopfile as \`args\`.
      "
    `)
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
