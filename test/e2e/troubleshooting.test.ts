// docs/troubleshooting.md shows what devloop really prints: each situation is brought about, and each command of the page is run in it.
import { createServer } from 'node:net'
import { readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { homes, project, put, repository, run, watch, type Watching } from '../support/devloop.js'
import { freePort } from '../support/free-port.js'

/** The project of the page. */
const devloopfile = (
  port: number,
  taken: number,
): string => `import { app, defineDevloop, ignore, image, local, sync } from 'devloop'

const web = image('shop/web', {
  context: 'web',
  live: [ignore('**/*.md'), sync('src', '/app/src')],
})

export default defineDevloop(() => ({
  name: 'shop',
  resources: [
    app('web', { image: web, port: 8080, forward: ${port}, process: { command: ['node', 'src/server.js'] } }),
    app('admin', { image: web, port: 8081, forward: ${taken}, process: { command: ['node', 'src/server.js'] } }),
    local('check', { run: 'node check.js', watch: ['check.js'] }),
    local('schema', { run: 'echo done', watch: ['schema/**'], trigger: 'manual' }),
    local('seed', { run: 'echo seeded', needs: ['check'] }),
  ],
}))
`

const files = {
  'web/Dockerfile': 'FROM node:20\nWORKDIR /app\nCOPY . .\n',
  'web/package.json': '{"type":"module"}',
  'web/src/server.js':
    "import { createServer } from 'node:http'\ncreateServer((request, response) => response.end('one')).listen(process.env.PORT)\n",
  'web/src/notes.md': 'notes\n',
  'check.js': "console.log('checking')\nconsole.error('check.js:7: title is not a function')\nprocess.exit(1)\n",
  'schema/shop.json': '{}',
}

interface Shown {
  readonly title: string
  readonly command: string
  readonly output: string
}

/** The commands of the page, under which heading they stand, and what is shown below them. */
async function shown(): Promise<Shown[]> {
  const text = await readFile(join(repository, 'docs/troubleshooting.md'), 'utf8')
  return text
    .split(/^## /m)
    .slice(1)
    .flatMap((section) =>
      [...section.matchAll(/```console\n\$ devloop (.*)\n([^]*?)```/g)].map(([, command = '', output = '']) => ({
        title: section.split('\n', 1)[0] ?? '',
        command,
        output,
      })),
    )
}

/** Without what is another at each run: numbers, folders, how columns are filled up. */
const plain = (text: string, folder: string): string =>
  text
    .replaceAll(folder, '/home/ann/shop')
    .replaceAll(/\b[0-9a-f]{8,}\b/g, 'HASH')
    .replaceAll(/-[0-9a-f]{6}\b/g, '-ID')
    .replaceAll(/\d+(?:\.\d+)?/g, 'N')
    .replaceAll(/N ?(?:ms|s|m|h)\b/g, 'N ms')
    .replaceAll(/ {2,}/g, '  ')
    .trimEnd()

test('what the page shows is what is printed', async () => {
  const [env, port, taken] = [await homes(), await freePort(), await freePort()]
  const other = createServer().listen(taken, '127.0.0.1')
  onTestFinished(() => void other.close())
  const cwd = await realpath(await project({ ...files, 'Devloopfile.ts': devloopfile(port, taken) }))
  let watching: Watching | undefined
  const running = (): Watching => watching ?? expect.fail('nothing runs yet')
  /** What leads to the situation of each heading. */
  const leadTo: Readonly<Record<string, () => Promise<unknown>>> = {
    'A save is not seen in the app': async () => {
      watching = await watch(['--runtime', 'process'], { cwd, env })
      await running().until('web', ({ ready }) => ready)
      await running().until('check', ({ status }) => status === 'failed')
    },
    'Every save takes a rebuild': async () => undefined,
    'Saves are slow': async () => {
      await put(join(cwd, 'web/src/page.js'), 'export const page = 1\n')
      await running().client.waitFor(
        () =>
          running()
            .changes()
            .some(({ outcome, paths }) => outcome === 'live' && paths.includes('web/src/page.js')),
        { timeoutMs: 30_000 },
      )
    },
    'A change is live, and the app shows the old': async () => {
      // somebody else writes in there, too
      const { code } = await run(['exec', 'web', '--', 'sh', '-c', 'echo other > src/page.js'], { cwd, env })
      expect(code).toBe(0)
    },
    'Something waits, and nothing happens': async () => {
      await put(join(cwd, 'schema/shop.json'), '{"a":1}')
      await running().until('schema', ({ pending }) => pending !== undefined)
    },
    'Something failed': async () => undefined,
    'An address does not answer': async () => undefined,
    'The Devloopfile has an error': async () => {
      await put(join(cwd, 'Devloopfile.ts'), devloopfile(port, taken).replace("context: 'web'", "contxt: 'web'"))
      await running().client.waitFor(() => running().session()?.devloopfile.state === 'failed', { timeoutMs: 30_000 })
    },
    'devloop itself': async () => {
      running().child.kill('SIGINT')
      await running().ended
    },
  }
  const all = await shown()
  expect([...new Set(all.map(({ title }) => title))]).toEqual(Object.keys(leadTo))
  let last = ''
  const found: string[] = []
  for (const { title, command } of all) {
    if (title !== last) await leadTo[title]?.()
    last = title
    const { stdout, stderr } = await run(command.split(' '), { cwd, env })
    found.push(`${title}\n$ devloop ${command}\n${plain(stdout + stderr, cwd)}`)
    if (process.env.DEVLOOP_TEST_SHOW) console.log(`$ devloop ${command}\n${(stdout + stderr).replaceAll(cwd, '/home/ann/shop')}`)
  }
  expect(found).toEqual(all.map(({ title, command, output }) => `${title}\n$ devloop ${command}\n${plain(output, cwd)}`))
}, 120_000)
