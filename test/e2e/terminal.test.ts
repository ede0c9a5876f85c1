// The terminal view in real pseudo-terminals: the built command line in tmux, at several sizes. Needs tmux, which CI has; where it is
// missing elsewhere, these tests are skipped.
import { spawn, spawnSync } from 'node:child_process'
import { chmod, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connectDevloop, findDaemon } from '../../src/client/index.js'
import { cli, homes, project, put } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'
import { startTmux, hasTmux, type Tmux, type TmuxTerminal } from '../support/tmux.js'
import { waitFor } from '../support/wait-for.js'
import { temporary } from '../support/temporary.js'

const server = `
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
const word = readFileSync(new URL('./word.txt', import.meta.url), 'utf8').trim()
createServer((request, response) => response.end(word)).listen(Number(process.env.PORT))
console.log('serving ' + word)
`
const devloopfile = (port: number): string => `
import { app, defineDevloop, image, local, restart, sync } from 'devloop'
const web = app('web', {
  image: image('shop/web', { live: [sync('src', '/app/src'), restart({ on: 'src/**' })] }),
  ports: { http: 8080 }, forward: { http: ${port} }, labels: ['front'],
  process: { command: ['node', 'src/server.js'] },
})
// one after the other, so that the log has one order
const talk = local('talk', { serve: ['node', 'talk.cjs'], labels: ['front'], ready: { log: 'number 40' }, needs: [web] })
export default defineDevloop({
  name: 'shop',
  resources: [
    web,
    talk,
    local('lint', { run: 'echo "src/server.js:3: no semicolon" >&2; exit 3', labels: ['checks'], needs: [talk] }),
    local('flood', { serve: ['node', 'flood.cjs'], auto: false, labels: ['checks'] }),
  ],
})
`
const talk = `
for (let number = 1; number <= 40; number++) console.log(number % 10 === 0 ? 'ERROR: number ' + number + ' 日本語' : 'number ' + number)
setInterval(() => {}, 1e9)
`
/** 5,000 lines a second for a while. */
const flood = `
let count = 0
const timer = setInterval(() => {
  let text = ''
  for (let line = 0; line < 100; line++) text += 'flood ' + ++count + ' of many lines that nobody reads\\n'
  process.stdout.write(text)
  if (count >= 10000) { clearInterval(timer); console.log('the flood is over'); setInterval(() => {}, 1e9) }
}, 20)
`
/** Lets a signal from outside cause an exception that nobody catches. */
const breakable = "process.on('SIGUSR2', () => { throw new Error('a defect') })"

/** What differs from run to run: times, addresses, and all the places where they are not as long as before. */
const normal = (lines: readonly string[]): string =>
  lines
    .map((line) =>
      line
        .replace(/\d+(?:\.\d+)? (?:ms|s)\b/g, 'TIME')
        .replace(/\d\d:\d\d:\d\d/g, 'CLOCK')
        .replace(/localhost:\d+/g, 'localhost:PORT')
        .replace(/\bweb-[0-9a-f]{6}\b/g, 'web-ID')
        .replace(/\/\S*\/dl-\w{6}\//g, '/FOLDER/')
        .replace(/ {2,}/g, '  ')
        .replace(/─+/g, '──')
        // where a line is cut depends on how wide the times before it are
        .replace(/^(.{24}).*…$/, '$1…')
        .trimEnd(),
    )
    .join('\n')

describe.skipIf(!hasTmux && !process.env.CI)('the terminal view (needs tmux)', () => {
  let folder: string
  /** Of the daemon's state and of what these tests note. */
  let home: string
  let tmux: Tmux
  /** With \`devloop watch\` in it. */
  let small: TmuxTerminal
  const command = `"${process.execPath}" "${cli}"`
  /** Runs a line in the shell of a terminal, and keeps its settings before and after, and the exit code, as files. */
  const runIn = async (terminal: TmuxTerminal, name: string, args: string, env = ''): Promise<void> => {
    const lines = [
      `stty -g > ${home}/${name}.before`,
      `${env} sh -c 'echo $$ > ${home}/${name}.pid; exec ${command} ${args}'`,
      `echo $? > ${home}/${name}.code`,
      `stty -g > ${home}/${name}.after`,
      `touch ${home}/${name}.over`,
    ]
    await put(join(home, `${name}.sh`), `${lines.join('\n')}\n`)
    await terminal.type(`clear; bash ${home}/${name}.sh\r`)
  }
  const over = (name: string): Promise<string> =>
    waitFor(() => readFile(join(home, `${name}.over`), 'utf8').then(() => 'over'), { what: `${name} to end`, everyMs: 50 })
  const textOf = async (name: string): Promise<string> => (await readFile(join(home, name), 'utf8')).trim()
  /** How a command has ended, and how it has left the terminal. */
  const left = async (terminal: TmuxTerminal, name: string): Promise<object> => {
    await over(name)
    const isSame = (await textOf(`${name}.after`)) === (await textOf(`${name}.before`))
    return { code: Number(await textOf(`${name}.code`)), settings: isSame ? 'as before' : 'changed', ...(await terminal.modes()) }
  }
  const restored = (code: number): object => ({ code, settings: 'as before', alternate: false, cursor: true })

  beforeAll(async () => {
    const port = await freePort()
    folder = await temporary({
      'Devloopfile.ts': devloopfile(port),
      Dockerfile: 'FROM node\nWORKDIR /app\n',
      'package.json': '{"type":"module"}',
      'src/server.js': server,
      'src/word.txt': 'one',
      'talk.cjs': talk,
      'flood.cjs': flood,
    })
    home = await temporary({ 'break.mjs': breakable })
    // a browser that notes what it is to show
    await put(join(home, 'browser.sh'), `#!/bin/sh\necho "$1" >> ${home}/shown\n`)
    await chmod(join(home, 'browser.sh'), 0o755)
    for (const name of ['state', 'run']) await mkdir(join(home, name), { mode: 0o700 })
    tmux = await startTmux({
      XDG_STATE_HOME: join(home, 'state'),
      XDG_RUNTIME_DIR: join(home, 'run'),
      CI: '',
      NO_COLOR: '',
      PS1: '$ ',
      BROWSER: join(home, 'browser.sh'),
      LANG: 'C.UTF-8',
    })
    small = await tmux.open('small', { columns: 80, rows: 24 }, folder)
    await runIn(small, 'watch', 'watch --runtime process')
    await small.shows(/✗ lint[^]*number 40/)
    return async () => {
      await tmux.close()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
      await rm(home, { recursive: true, force: true, maxRetries: 5 })
    }
  })

  test('at 80 by 24: a table with problems first, what is wrong, the log, the keys', async () => {
    expect(normal(await small.shows(/lint local │ lint:[^]*q quit/))).toMatchInlineSnapshot(`
      "› shop on process runtime: 2 of 3 ready, 1 not started
        checks
        ✗ lint  failed  lint: …
        ○ flood  pending  it d…
        front
        ● web  ready  http://localhost:PORT
        ● talk  ready
      ── all: log ──
      ✗ lint: lint: \`echo "src/server.js:3: no semicolon" >&2; exit 3\` failed with
        exit code 3 [local/failed]
        at /FOLDER/Devloopfile.ts:15:5
        src/server.js:3: no semicolon
        Read its output and correct the cause.
      talk │ number 34
      talk │ number 35
      talk │ number 36
      talk │ number 37
      talk │ number 38
      talk │ number 39
      talk │ ERROR: number 40 日本語
      lint local │ running echo "src/server.js:3: no semicolon" >&2; exit 3
      lint run │ src/server.js:3: no semicolon
      lint local │ lint: \`echo…
      ↑↓ select  ⏎ open  Tab log/details  / search  t trigger  ? help  q quit"
    `)
  })

  test('a save is seen to be live', async () => {
    await put(join(folder, 'src/word.txt'), 'two')
    await small.shows(/web +ready +live in/)
    await small.shows('serving two')
    expect((await small.shows(/src\/word.txt live in/)).at(-2)).toMatch(/^src\/word\.txt live in .*: .*seen \+/)
  })

  test('a smaller and a larger window', async () => {
    await small.resize(60, 15)
    expect(normal(await small.shows(/lines; Tab[^]*serving two[^]*search {2}\? help {2}q quit/))).toMatchInlineSnapshot(`
      "› shop on process runtim…
        checks
        ✗ lint  failed  lint: …
        ○ flood  pending  it d…
        front
        ● web  ready  live in TIME
        ● talk  ready
      ── all: log ──
      ✗ lint: lint: \`echo "src/server.js:3: no semicolon" >&2;
        exit 3\` failed with exit code 3 [local/failed]
        … 2 lines; Tab shows all
        Read its output and correct the cause.
      web sync │ /app/src/word.txt in web-ID (TIME)
      web │ serving two
      ↑↓ select  ⏎ open  Tab log/details  / search  ? help  q quit"
    `)
    await small.resize(80, 24)
    await small.shows('Tab log/details')
  })

  describe('devloop attach', () => {
    let wide: TmuxTerminal
    let tiny: TmuxTerminal
    const find = async (name: string): Promise<void> => {
      await wide.keys('s')
      await wide.shows('resource: ')
      await wide.type(name)
      await wide.shows(`resource: ${name}`)
      await wide.keys('Enter')
      await wide.shows(`${name}: details`)
    }

    beforeAll(async () => {
      wide = await tmux.open('wide', { columns: 200, rows: 60 }, folder)
      tiny = await tmux.open('tiny', { columns: 40, rows: 10 }, folder)
      await runIn(wide, 'wide', 'attach')
      await runIn(tiny, 'tiny', 'attach')
      await wide.shows('q detach')
    })

    test('at 200 by 60: details and log side by side', async () => {
      await find('talk')
      expect(normal((await wide.shows('number 40')).slice(0, 20))).toMatchInlineSnapshot(`
        "  shop on process runtime: 2 of 3 ready, 1 not started; today 1 save live in TIME (p95 TIME)
          checks
          ✗ lint  failed  lint: \`echo "src/server.js:3: no semicolon" >&2; exit 3\` failed with exit code 3
          ○ flood  pending  it does not start by itself (\`auto: false\`); \`devloop trigger flood\` starts it
          front
          ● web  ready  1/1 pod  live in TIME  http://localhost:PORT
        › ● talk  ready
        ── talk: details · talk: log ──
        status  ● ready since CLOCK  │ talk local │ starting node talk.cjs
        needs  web  │ number 1
        labels  front  │ number 2
        type  local  │ number 3
          │ number 4
          │ number 5
          │ number 6
          │ number 7
          │ number 8
          │ number 9
          │ ERROR: number 10 日本語
          │ number 11"
      `)
      expect(await wide.modes()).toEqual({ alternate: true, cursor: false })
    })

    test('at 40 by 10', async () => {
      expect(normal(await tiny.shows(/✗ lint:[^]*serving two[^]*q detach/))).toMatchInlineSnapshot(`
        "› shop on process runtim…
          checks
          ✗ lint  failed  lint: …
          ○ flood  pending  it d…
          ↓ 2 more; s finds by name
        ── all: log ──
        ✗ lint: lint: \`echo "src/server.js:3: no
          semicolon" >&2; exit 3\` failed with
        web │ serving two
        ↑↓ select  ⏎ open  ? help  q detach"
      `)
      await tiny.keys('Tab', '?')
      await tiny.shows('help, lines 1 to 7')
      await tiny.keys('Escape', 'q')
      expect(await left(tiny, 'tiny')).toEqual(restored(0))
      // the daemon runs on
      await wide.keys('Tab')
      await small.shows('q quit')
    })

    test('search, levels, help', async () => {
      await wide.keys('/')
      await wide.type('NUMBER 3')
      await wide.shows('"NUMBER 3" found 11')
      await wide.keys('Enter')
      await wide.shows(/› (CLOCK|\d\d:\d\d:\d\d) number 39/)
      await wide.keys('n', 'n')
      await wide.shows(/9 of 11[^]*› \S+ number 37/)
      await wide.keys('N')
      await wide.shows(/10 of 11[^]*› \S+ number 38/)
      await wide.keys('c')
      await wide.shows('copied the line')
      expect(await tmux.clipboard()).toBe('number 38')
      await wide.keys('Escape', 'v', 'v')
      const lines = await wide.shows(/errors only[^]*ERROR: number 40 日本語/)
      expect(lines.join('\n')).not.toContain('number 39')
      await wide.keys('v', '?')
      await wide.shows('end this view; devloop runs on')
      await wide.keys('Escape', 'Escape')
      await wide.shows('talk: details')
    })

    test('trigger, address, link, enable; and a flood of lines that nothing else waits for', async () => {
      await find('lint')
      await wide.keys('t')
      await wide.shows('triggered lint')
      await find('web')
      await wide.shows(/pod +web-[0-9a-f]{6} +running, ready[^]*files in sync/)
      await wide.keys('y')
      await wide.shows('copied http://localhost:')
      expect(await tmux.clipboard()).toMatch(/^http:\/\/localhost:\d+$/)
      await wide.keys('o')
      await wide.shows('opened http://localhost:')
      await wide.keys('w')
      await wide.shows('opened the status page')
      expect(await textOf('shown')).toMatch(/^http:\/\/localhost:\d+\nhttp:\/\/127\.0\.0\.1:\d+\/#token=\S+$/)
      await find('flood')
      await wide.keys('e')
      await wide.shows('enabled flood')
      await wide.shows(/flood \d{3,} of many/)
      await find('talk')
      await wide.shows('number 40')
      await find('flood')
      await wide.shows('the flood is over')
      await wide.keys('e')
      await wide.shows('disable flood, until it is enabled again? y/n')
      await wide.keys('y')
      await wide.shows(/flood +disabled/)
    })

    test('Ctrl-Z gives the terminal to the shell, fg takes it again', async () => {
      await wide.keys('C-z')
      await wide.shows('Stopped')
      expect(await wide.modes()).toEqual({ alternate: false, cursor: true })
      await wide.type('fg\r')
      await wide.shows('flood: details')
      expect(await wide.modes()).toEqual({ alternate: true, cursor: false })
      await wide.keys('q')
      expect(await left(wide, 'wide')).toEqual(restored(0))
      // what was shown last stays
      await wide.shows(/✗ lint +checks +failed/)
    })

    test.each([
      ['Ctrl-C', 'C-c', 130],
      ['SIGTERM', 'SIGTERM', 130],
      ['SIGHUP', 'SIGHUP', 130],
      ['an exception that nobody catches', 'SIGUSR2', 70],
    ] as const)('%s puts the terminal back', async (name, how, code) => {
      const file = how.toLowerCase()
      await runIn(wide, file, 'attach', `NODE_OPTIONS=--import=${home}/break.mjs`)
      await wide.shows('q detach')
      if (how === 'C-c') await wide.keys(how)
      else process.kill(Number(await textOf(`${file}.pid`)), how)
      expect(await left(wide, file)).toEqual(restored(code))
      if (code === 70) await wide.shows('[defect]')
    })

    test('without colours, and without a screen', async () => {
      await runIn(wide, 'colours', 'attach')
      await wide.shows(/● web[^]*q detach/)
      expect((await wide.screen({ colours: true })).join('')).toMatch(/\x1b\[3\dm/) // oxlint-disable-line no-control-regex
      await wide.keys('q')
      expect(await left(wide, 'colours')).toEqual(restored(0))
      await runIn(wide, 'none', 'attach', 'NO_COLOR=1')
      await wide.shows(/● web[^]*q detach/)
      expect((await wide.screen({ colours: true })).join('')).not.toMatch(/\x1b\[(?:\d+;)*(?:3|4|9|10)[0-7]m/) // oxlint-disable-line no-control-regex
      await wide.keys('q')
      expect(await left(wide, 'none')).toEqual(restored(0))
      await runIn(wide, 'dumb', 'attach', 'TERM=dumb')
      await wide.shows(' │ ')
      expect(await wide.modes()).toEqual({ alternate: false, cursor: true })
      await wide.keys('C-c')
      expect(await left(wide, 'dumb')).toEqual(restored(130))
    })
  })

  test('a daemon that ends says so to who is attached; a defect in it puts the terminal back', async () => {
    const other = await tmux.open('other', { columns: 80, rows: 24 }, folder)
    await runIn(other, 'last', 'attach')
    await other.shows('q detach')
    await small.keys('C-c')
    expect(await left(small, 'watch')).toEqual(restored(130))
    expect(await left(other, 'last')).toEqual(restored(0))
    await other.shows('devloop ended')
    await runIn(small, 'defect', 'watch --runtime process', `NODE_OPTIONS=--import=${home}/break.mjs`)
    await small.shows(/✗ lint[^]*q quit/)
    process.kill(Number(await textOf('defect.pid')), 'SIGUSR2')
    expect(await left(small, 'defect')).toEqual(restored(70))
    await small.shows('devloop has a defect and ends: a defect')
  })
})

/** Runs a command in a pseudo-terminal, reads until it has drawn a word, and then nothing any more. Tells how the command ended. */
const stalled = `
import fcntl, os, pty, struct, sys, termios
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 60, 200, 0, 0))
seen = b''
while sys.argv[1].encode() not in seen:
    seen += os.read(terminal, 65536)
print('stalled', child, flush=True)
print('ended', os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
`

test.for([
  ['the live table', []],
  ['plain lines', ['--plain']],
] as [string, string[]][])(
  'a terminal that takes nothing any more does not hold up the daemon: %s (needs python3)',
  async ([, options], context) => {
    if (spawnSync('python3', ['--version']).status !== 0 && !process.env.CI) return context.skip('there is no python3')
    const env = await homes()
    const folder = await project({
      'Devloopfile.ts': `import { defineDevloop, local } from 'devloop'
export default defineDevloop({ name: 'stalled', resources: [local('flood', { serve: ['node', 'flood.cjs'] })] })
`,
      'flood.cjs': flood.replace('10000', '7000'),
      'stalled.py': stalled,
    })
    const watching = [process.execPath, cli, 'watch', '--runtime', 'process', ...options]
    const python = spawn('python3', ['stalled.py', 'of many lines', ...watching], {
      cwd: folder,
      env: { ...process.env, ...env, CI: '', TERM: 'xterm' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    python.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    const found = async (pattern: RegExp): Promise<string> =>
      waitFor(() => pattern.exec(output)?.[1], { what: String(pattern), timeoutMs: 40_000 })
    const pid = Number(await found(/stalled (\d+)/))
    onTestFinished(() => {
      if (!output.includes('ended')) process.kill(pid, 'SIGKILL')
    })
    // more than any terminal keeps for later is drawn meanwhile; the daemon goes on, and answers
    const dirs = [join(env.XDG_RUNTIME_DIR ?? '', 'devloop')]
    const client = connectDevloop({
      endpoint: () => findDaemon({ devloopfile: join(folder, 'Devloopfile.ts'), dirs }),
      name: 'test',
    })
    onTestFinished(() => client.close())
    let said = ''
    client.logs({ tail: 1 }, ({ lines }) => (said += lines.map(({ text }) => `${text}\n`).join('')))
    await waitFor(() => said.includes('the flood is over'), { what: 'all lines of the log', timeoutMs: 40_000 })
    await client.request('reload', {})
    process.kill(pid, 'SIGTERM')
    expect(await found(/ended (-?\d+)/)).toBe('130')
  },
)
